"""The hook for PyTorch: modules, losses, parameters and gradients, and the phases of a step.

Nothing of the script is changed: torch calls hooks of its own around every optimizer, and the call
of a module, ``torch.autograd.backward`` and the iterator of a ``DataLoader`` are wrapped. (With
hooks of its own around modules torch takes its slow way through each of them; most steps save
nothing, and what is in the outermost module is not looked at in these.)

A *step* begins with the forward pass of an outermost module (one that is not called by another,
that has parameters, and is no loss) when an optimizer has stepped since, when the mode changes, or
when this step has seen the module already. Its mode is TRAIN or EVAL, as the module's ``training``
says. Names are smdebug's: ``Net_conv.weight``, ``gradient/Net_conv.weight``, ``conv_input_0``,
``conv_output_0``, ``CrossEntropyLoss_output_0``; a module that computes an activation and is not
called like it has its kind in the name, too: the second layer of a Sequential is ``1.relu``.
"""

from __future__ import annotations

import functools
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

from bottega.container.debugging.recorder import Recorder
from bottega.container.debugging.timeline import Timeline
from bottega.container.debugging.torch_operators import Operators
from bottega.debugger import phases
from bottega.debugger.tensors.configuration import Framework
from bottega.debugger.tensors.modes import ModeKeys

FRAMEWORK = Framework(
    name="pytorch",
    patterns={
        "losses": r"[Ll]oss_(?!input).*output",
        "weights": r"^(?!gradient).*weight",
        "biases": r"^(?!gradient).*bias",
        "gradients": r"^gradient",
    },
    always=("losses",),
)
_LOSS = re.compile(FRAMEWORK.patterns["losses"])
_LOSS_NODE = re.compile(r"^(\w*?Loss)(?:\w*)Backward\d*$")
_GRADIENT = "gradient/"


class TorchHook:
    """Looks at the training in one thread of this process: the first that calls a module.

    Args:
        recorder: what saves tensors; None where only times are wanted.
        timeline: what keeps times; None where only tensors are wanted.
        late: the script may be in the middle of a step, whose rest is passed over.
    """

    def __init__(
        self, recorder: Recorder | None, timeline: Timeline | None, *, late: bool = False
    ) -> None:
        self._recorder = recorder
        self._timeline = timeline
        self._operators = Operators(timeline) if timeline is not None else None
        self._late = late
        self._thread = 0
        self._depth = 0
        # What is passed over is passed over as a module is that a backward pass calls: no call of
        # a module pays for being asked about it.
        self._in_backward = int(late)
        self._names: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        self._roots: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        self._taken: dict[str, int] = {}
        self._called: list[Any] = []
        self._root: Any = None
        self._mode: ModeKeys | None = None
        self._stepped = False
        self._loss_seen = False
        self._saving = False
        self._counted: dict[str, int] = {}
        self._number = -1
        self._mode_numbers = dict.fromkeys(ModeKeys, -1)
        self._began = self._forward_began = self._ended = self._optimizer_began = 0.0
        self.forced_mode: ModeKeys | None = None
        """What the script says it does, by smdebug's ``set_mode``; None asks the module."""

    def install(self) -> None:
        """Have torch call the hook."""
        import torch
        from torch.nn.modules import module
        from torch.optim import optimizer
        from torch.utils.data import dataloader

        self._torch = torch
        self._loss = torch.nn.modules.loss._Loss
        self._compiled: Any = ()  # until something is compiled
        self._activations = tuple(
            getattr(torch.nn, name) for name in torch.nn.modules.activation.__all__
        )
        if self._late and "torch._dynamo.eval_frame" in sys.modules:
            self._expect_compiled()
        torch.compile = self._around_compile(torch.compile)
        every_module: Any = module.Module
        every_module.__call__ = self._around_call(every_module.__call__)
        optimizer.register_optimizer_step_pre_hook(self._before_optimizer)
        optimizer.register_optimizer_step_post_hook(self._after_optimizer)
        torch.autograd.backward = self._around_backward(torch.autograd.backward)
        if self._timeline is not None:
            iterator: Any = dataloader._BaseDataLoaderIter
            iterator.__next__ = self._around_loading(iterator.__next__)

    # What torch calls.

    def _around_call(self, call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def around(module: Any, /, *inputs: Any, **named: Any) -> Any:
            if self._compiled and self._is_compiling():
                return call(module, *inputs, **named)
            depth = self._depth
            if (depth and not self._saving) or self._in_backward:
                return call(module, *inputs, **named)
            if threading.get_ident() != self._thread and not self._is_ours():
                return call(module, *inputs, **named)
            if depth == 0:
                self._outermost(module)
            self._depth = depth + 1
            try:
                output = call(module, *inputs, **named)
            finally:
                self._depth = depth
            if self._saving:
                self._save_layer(module, inputs, output)
            if depth == 0:
                self._end_forward()
            return output

        return around

    def _end_forward(self) -> None:
        self._ended = now = time.time()
        if self._timeline is not None and self._root is not None:
            name = self._roots[self._root]
            self._timeline.add(phases.FORWARD, name, self._forward_began, now, self._step)

    def _before_optimizer(self, optimizer: Any, arguments: Any, named: Any) -> None:
        self._optimizer_began = time.time()
        self._depth = 0  # where a module trains another one, that one's passes are the steps

    def _after_optimizer(self, optimizer: Any, arguments: Any, named: Any) -> None:
        if self._late:
            self._come_in()
        if threading.get_ident() != self._thread:
            return
        self._stepped = True
        self._ended = now = time.time()
        if self._timeline is not None:
            name = type(optimizer).__name__
            self._timeline.add(phases.OPTIMIZER, name, self._optimizer_began, now, self._step)

    def _around_backward(self, backward: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(backward)
        def around(tensors: Any, *arguments: Any, **named: Any) -> Any:
            if self._in_backward or threading.get_ident() != self._thread:
                return backward(tensors, *arguments, **named)
            if self._saving and not self._loss_seen:
                self._save_loss(tensors)
            began = time.time()
            self._depth = 0
            self._in_backward += 1
            try:
                return backward(tensors, *arguments, **named)
            finally:
                self._in_backward -= 1
                self._ended = now = time.time()
                if self._timeline is not None:
                    name = self._roots.get(self._called[-1], "") if self._called else ""
                    self._timeline.add(phases.BACKWARD, name, began, now, self._step)
                if self._saving:
                    self._save_gradients()

        return around

    def _around_compile(self, compile_: Callable[..., Any]) -> Callable[..., Any]:
        """A compiled module is the module that it was made of."""

        @functools.wraps(compile_)
        def around(*arguments: Any, **named: Any) -> Any:
            if not self._compiled:
                self._expect_compiled()
            return compile_(*arguments, **named)

        return around

    def _expect_compiled(self) -> None:
        from torch._dynamo.eval_frame import OptimizedModule, skip_code
        from torch.nn.modules import module

        # One code object stands before all modules: compiled itself, it would count what each of
        # them needs against one limit.
        skip_code(module.Module.__call__.__code__)
        self._compiled = OptimizedModule

    def _come_in(self) -> None:
        """The script is between two steps."""
        self._late = False
        self._in_backward = 0

    def _around_loading(self, following: Callable[[Any], Any]) -> Callable[[Any], Any]:
        @functools.wraps(following)
        def around(iterator: Any) -> Any:
            if self._late:
                self._come_in()
            began = time.time()
            batch = following(iterator)
            timeline = self._timeline
            if timeline is not None and timeline.active:
                # The batch is for the step that comes.
                window, step = timeline.settings.data_loading, self._number + 1
                if window is not None and window.has(step, began):
                    more = {"worker_count": iterator._num_workers}
                    name = type(iterator).__name__.lstrip("_")
                    timeline.add(phases.DATA_LOADING, name, began, time.time(), step, more)
            return batch

        return around

    # Steps.

    @property
    def _step(self) -> int:
        """The step as its mode counts it; for events."""
        return self._mode_numbers[self._mode] if self._mode is not None else 0

    def _is_compiling(self) -> bool:
        """Whether what is called now is compiled, or looked at for that."""
        if self._torch.compiler.is_compiling():
            return True
        frames: Any = self._torch._C._dynamo.eval_frame
        return frames.get_eval_frame_callback() is not None

    def _is_ours(self) -> bool:
        if self._thread:
            return False
        self._thread = threading.get_ident()
        return True

    def _outermost(self, module: Any) -> None:
        self._forward_began = time.time()
        self._root = None
        if isinstance(module, self._loss):
            self._names.setdefault(module, type(module).__name__)
            return
        if isinstance(module, self._compiled):
            module = module._orig_mod
        if module not in self._roots:
            if next(module.parameters(), None) is None:
                return
            self._adopt(module)
        self._root = module
        mode = self.forced_mode or (ModeKeys.TRAIN if module.training else ModeKeys.EVAL)
        if self._mode is mode and not self._stepped and module not in self._called:
            self._called.append(module)
            if self._saving:
                self._save_parameters(module)
            return
        self.end_step()
        self._called = [module]
        self._mode, self._stepped, self._loss_seen = mode, False, False
        self._number += 1
        self._mode_numbers[mode] += 1
        self._counted.clear()
        self._began = self._forward_began
        if self._operators is not None:
            self._operators.begin(self._number)
        if self._recorder is not None:
            self._saving = self._recorder.begin(mode)
            if self._saving:
                self._save_parameters(module)

    def end_step(self) -> None:
        """The step is over: its time is known. Its tensors are written when the next one begins."""
        if self._operators is not None:
            self._operators.end()
        if self._mode is None or self._timeline is None:
            return
        name = self._roots.get(self._called[0], "") if self._called else ""
        phase = phases.step_phase(self._mode)
        self._timeline.add(phase, name, self._began, self._ended, self._step)

    def _adopt(self, module: Any) -> None:
        kind = type(module).__name__
        self._taken[kind] = self._taken.get(kind, 0) + 1
        root = kind if self._taken[kind] == 1 else f"{kind}_{self._taken[kind] - 1}"
        self._roots[module] = root
        for path, part in module.named_modules():
            self._names.setdefault(part, self._layer_name(path, part) if path else root)

    def _layer_name(self, path: str, module: Any) -> str:
        kind = type(module).__name__.lower()
        if isinstance(module, self._activations) and not path.lower().endswith(kind):
            return f"{path}.{kind}"
        return path

    # Tensors.

    def _save(self, name: str, tensor: Any) -> None:
        recorder = self._recorder
        if recorder is None or not recorder.wants(name):
            return
        try:
            recorder.save(name, _array(self._torch, tensor))
        except Exception as error:
            recorder.fail(error)

    def _save_layer(self, module: Any, inputs: Any, output: Any) -> None:
        name = self._names.get(module)
        if name is None:
            name = self._names[module] = type(module).__name__
        for kind, values in (("input", inputs), ("output", output)):
            key = f"{name}_{kind}_"
            number = self._counted.get(key, 0)
            for tensor in _tensors(values, self._torch.Tensor):
                self._save(f"{key}{number}", tensor)
                number += 1
            self._counted[key] = number
        # A loss whose name does not say so is saved as that of a function, too.
        if isinstance(module, self._loss) and _LOSS.search(f"{name}_output_0"):
            self._loss_seen = True

    def _save_parameters(self, root: Any) -> None:
        for name, parameter in root.named_parameters():
            self._save(f"{self._roots[root]}_{name}", parameter)

    def _save_gradients(self) -> None:
        for root in self._called:
            for name, parameter in root.named_parameters():
                if parameter.grad is not None:
                    self._save(f"{_GRADIENT}{self._roots[root]}_{name}", parameter.grad)

    def _save_loss(self, tensors: Any) -> None:
        """Save the loss of a function: what the backward pass begins with."""
        for tensor in _tensors(tensors, self._torch.Tensor):
            if tensor.numel() != 1:
                continue
            node = type(tensor.grad_fn).__name__ if tensor.grad_fn is not None else ""
            found = _LOSS_NODE.match(node)
            key = f"{found[1] if found else 'Loss'}_output_"
            number = self._counted.get(key, 0)
            self._save(f"{key}{number}", tensor)
            self._counted[key] = number + 1


def _tensors(values: Any, kind: type) -> Iterator[Any]:
    """The tensors in what a module was given, or gave, in order."""
    if isinstance(values, kind):
        yield values
    elif isinstance(values, dict):
        for one in values.values():
            yield from _tensors(one, kind)
    elif isinstance(values, (list, tuple)):
        for one in values:
            yield from _tensors(one, kind)


def _array(torch: Any, tensor: Any) -> Any:
    """A copy of a tensor's values as an array, now: the script goes on to change them."""
    plain = tensor.detach()
    if plain.is_sparse:
        plain = plain.coalesce().values()
    if plain.dtype is torch.bfloat16:
        plain = plain.float()
    return plain.cpu().numpy()
