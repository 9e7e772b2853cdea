"""A notebook's first minutes where there is no network but loopback: run by test_v2_offline.py.

Arguments: a file of comma-separated rows, label first.
"""

from __future__ import annotations

import socket
import sys

import sagemaker
from sagemaker import image_uris
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput


def main() -> None:
    try:
        socket.create_connection(("192.0.2.1", 443), timeout=1).close()
    except OSError as error:
        print("no network:", error.strerror or error)
    else:
        raise SystemExit("there is a network")
    session = sagemaker.Session()
    role = sagemaker.get_execution_role(session)
    print("account", session.account_id(), "bucket", session.default_bucket())
    uri = session.upload_data(sys.argv[1], key_prefix="offline")
    image = image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1")
    estimator = Estimator(image, role, 1, "ml.m5.large", sagemaker_session=session)
    estimator.set_hyperparameters(num_round=2, objective="reg:squarederror")
    estimator.fit({"train": TrainingInput(uri, content_type="text/csv")})
    print("model", estimator.model_data)


main()
