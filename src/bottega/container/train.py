"""The entry point of a training job's host: ``python -m bottega.container.train``.

``BOTTEGA_IMAGE`` names the runtime. A job with ``sagemaker_program`` (or a ``code`` channel) runs
the user's script; otherwise the built-in algorithm of the image trains.
"""

from __future__ import annotations

import io
import os
import sys

from bottega.algorithms import registry
from bottega.algorithms.base import CustomerError, HyperparameterError
from bottega.container import pipes, script_mode
from bottega.container.debugging import session
from bottega.container.environment import ConfigurationMissing, TrainingEnvironment
from bottega.container.failure import (
    LIMIT,
    ScriptFailed,
    last_words,
    print_traceback,
    user_traceback,
    write_failure,
)
from bottega.container.paths import ContainerPaths


def main() -> int:
    """Run this host of the job; returns the exit code, and leaves a failure file if it is not 0."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)
    failure = ContainerPaths.of().failure
    try:
        _train(TrainingEnvironment.read(), os.environ.get("BOTTEGA_IMAGE") or "python")
    except ScriptFailed as error:
        if error.kind != "ExecuteUserScriptError":
            print(error.message, file=sys.stderr, flush=True)
        write_failure(failure, error.report())
        return error.exit_code
    except (CustomerError, HyperparameterError) as error:
        return _end(failure_text := f"ClientError: {error}", failure_text)
    except ConfigurationMissing as error:
        return _end(failure_text := f"InternalServerError: {error}", failure_text)
    except Exception as error:
        print_traceback(error)
        trace = user_traceback(error)[-(LIMIT - 200) :]
        return _end("", f"AlgorithmError: {last_words(error)[:180]}\n{trace}")
    return 0


def _end(log: str, text: str) -> int:
    if log:
        print(log, file=sys.stderr, flush=True)
    write_failure(ContainerPaths.of().failure, text)
    return 1


def _train(environment: TrainingEnvironment, image: str) -> None:
    for folder in (environment.paths.model, environment.paths.output_data):
        folder.mkdir(parents=True, exist_ok=True)
    session.start()
    try:
        _run(environment, image)
    finally:
        session.finish()


def _run(environment: TrainingEnvironment, image: str) -> None:
    if script_mode.wanted(environment):
        script_mode.run(environment)
    elif image in registry.names():
        pipes.start(environment)
        registry.algorithm(image).train(environment)
    else:
        raise CustomerError(
            f"The image {image} runs a script, and the job names none. Give the hyperparameters "
            "sagemaker_program and sagemaker_submit_directory, or use an image with an algorithm."
        )


if __name__ == "__main__":
    sys.exit(main())
