"""Scripts that run a flow where it is meant to run: as a job, in a pipeline, behind an endpoint."""

from __future__ import annotations

from string import Template

from bottega.wrangler.export.exported import PYTHON, Exported
from bottega.wrangler.flow.document import Flow
from bottega.wrangler.pandas_code import python_literal
from bottega.wrangler.sources.nodes import Source
from bottega.wrangler.transform import Transform
from bottega.wrangler.transforms.registry import transform_of

_IMAGE = "663277389841.dkr.ecr.us-east-1.amazonaws.com/sagemaker-data-wrangler-container:1.x"
_HEAD = Template('''"""$docstring"""

$standard

$others

FLOW = $flow
ROLE = "arn:aws:iam::000000000000:role/service-role/AmazonSageMaker-ExecutionRole"
BUCKET = "sagemaker-us-east-1-000000000000"
IMAGE = "$image"
INSTANCE_TYPE = "ml.m5.4xlarge"
OUTPUT = $output
NAME = f"$slug-{time.strftime('%Y-%m-%d-%H-%M-%S')}"
PREFIX = f"data_wrangler_flows/{NAME}"
''')
_PROCESSING = Template("""
s3 = boto3.client("s3")
sagemaker = boto3.client("sagemaker")


def source_input(name, uri):
    \"\"\"A source of the flow, where the job reads it.\"\"\"
    place = {"S3Uri": uri, "LocalPath": f"/opt/ml/processing/{name}"}
    kind = {"S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": {**place, **kind}}


def output(name, uri, folder):
    \"\"\"Where the job leaves what it writes.\"\"\"
    place = {"S3Uri": uri, "LocalPath": f"/opt/ml/processing/{folder}"}
    return {"OutputName": name, "S3Output": {**place, "S3UploadMode": "EndOfJob"}}


def run():
    \"\"\"Upload the flow, run it over the whole data, and wait.\"\"\"
    s3.upload_file(FLOW, BUCKET, f"{PREFIX}/{NAME}.flow")
    flow = source_input("flow", f"s3://{BUCKET}/{PREFIX}/{NAME}.flow")
    config = {OUTPUT: {"content_type": "CSV"}}
    sagemaker.create_processing_job(
        ProcessingJobName=NAME,
        RoleArn=ROLE,
        AppSpecification={
            "ImageUri": IMAGE,
            "ContainerArguments": ["--output-config", json.dumps(config)],
        },
        ProcessingInputs=[flow, *(source_input(name, uri) for name, uri in SOURCES.items())],
        ProcessingOutputConfig={
            "Outputs": [
                output(OUTPUT, f"s3://{BUCKET}/{PREFIX}/output", "output/table"),
                output("fitted_flow", f"s3://{BUCKET}/{PREFIX}/fitted", "output/fitted"),
            ]
        },
        ProcessingResources={
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": INSTANCE_TYPE,
                "VolumeSizeInGB": 30,
            }
        },
    )
    waiter = sagemaker.get_waiter("processing_job_completed_or_stopped")
    waiter.wait(ProcessingJobName=NAME)
    job = sagemaker.describe_processing_job(ProcessingJobName=NAME)
    if job["ProcessingJobStatus"] != "Completed":
        raise RuntimeError(job.get("FailureReason", job["ProcessingJobStatus"]))
    return f"s3://{BUCKET}/{PREFIX}/output", f"s3://{BUCKET}/{PREFIX}/fitted"


if __name__ == "__main__":
    table, fitted = run()
    print("The table is below", table)
    print("The fitted flow is below", fitted)
""")
_PIPELINE = Template("""

def pipeline():
    \"\"\"A pipeline whose only step runs the flow; add the steps that take its output.\"\"\"
    session = PipelineSession()
    flow = S3Uploader.upload(FLOW, f"s3://{BUCKET}/{PREFIX}", sagemaker_session=session)
    processor = Processor(
        role=ROLE,
        image_uri=IMAGE,
        instance_count=1,
        instance_type=INSTANCE_TYPE,
        sagemaker_session=session,
    )
    inputs = [ProcessingInput(flow, "/opt/ml/processing/flow", input_name="flow")]
    for name, uri in SOURCES.items():
        inputs.append(ProcessingInput(uri, f"/opt/ml/processing/{name}", input_name=name))
    outputs = [
        ProcessingOutput(
            output_name=OUTPUT,
            source="/opt/ml/processing/output/table",
            destination=f"s3://{BUCKET}/{PREFIX}/output",
        ),
        ProcessingOutput(
            output_name="fitted_flow",
            source="/opt/ml/processing/output/fitted",
            destination=f"s3://{BUCKET}/{PREFIX}/fitted",
        ),
    ]
    config = json.dumps({OUTPUT: {"content_type": "CSV"}})
    arguments = processor.run(
        inputs=inputs, outputs=outputs, arguments=["--output-config", config]
    )
    step = ProcessingStep("DataWrangler", step_args=arguments)
    return Pipeline(name="$slug", steps=[step], sagemaker_session=session)


if __name__ == "__main__":
    made = pipeline()
    made.upsert(role_arn=ROLE)
    boto3.client("sagemaker").start_pipeline_execution(
        PipelineName=made.name, PipelineExecutionDisplayName=NAME
    )
""")
_ENDPOINT = Template("""
# What a processing job with this flow has left, and what a training job has learnt from its table.
FITTED_FLOW = f"s3://{BUCKET}/data_wrangler_flows/JOB/fitted/model.tar.gz"
MODEL_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
MODEL_DATA = f"s3://{BUCKET}/TRAINING_JOB/output/model.tar.gz"

sagemaker = boto3.client("sagemaker")


def deploy():
    \"\"\"An endpoint that takes raw rows: first the fitted flow, then the model.\"\"\"
    sagemaker.create_model(
        ModelName=NAME,
        ExecutionRoleArn=ROLE,
        Containers=[
            {"Image": IMAGE, "ModelDataUrl": FITTED_FLOW},
            {"Image": MODEL_IMAGE, "ModelDataUrl": MODEL_DATA},
        ],
        InferenceExecutionConfig={"Mode": "Serial"},
    )
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": NAME,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=NAME)
    return NAME


if __name__ == "__main__":
    print("Raw rows as text/csv go to the endpoint", deploy())
""")
_MODULES = {
    "processing": ("import json\nimport time", "import boto3"),
    "pipeline": (
        "import json\nimport time",
        "import boto3\n"
        "from sagemaker.processing import ProcessingInput, ProcessingOutput, Processor\n"
        "from sagemaker.s3 import S3Uploader\n"
        "from sagemaker.workflow.pipeline import Pipeline\n"
        "from sagemaker.workflow.pipeline_context import PipelineSession\n"
        "from sagemaker.workflow.steps import ProcessingStep",
    ),
    "endpoint": ("import time", "import boto3"),
}


def processing(flow: Flow, node_id: str, output: str, name: str) -> Exported:
    """A script that runs the flow as a processing job."""
    return _script(flow, node_id, output, name, "processing", _PROCESSING)


def pipeline(flow: Flow, node_id: str, output: str, name: str) -> Exported:
    """A script that makes a pipeline with the flow as a step."""
    return _script(flow, node_id, output, name, "pipeline", _PIPELINE)


def endpoint(flow: Flow, node_id: str, output: str, name: str) -> Exported:
    """A script that deploys the fitted flow in front of a model."""
    exported = _script(flow, node_id, output, name, "endpoint", _ENDPOINT)
    notes = [f"Put the job, the training job and the model's image into {exported.file_name}."]
    notes += [
        f"{transform.name} chooses or adds rows: it is left out in front of a model."
        if transform.serving == "skip"
        else f"{transform.name} needs all rows: this flow cannot stand in front of a model."
        for transform in _transforms(flow, node_id)
        if transform.serving != "apply"
    ]
    return Exported(
        exported.text, exported.file_name, PYTHON, (*exported.notes, *dict.fromkeys(notes))
    )


def _transforms(flow: Flow, node_id: str) -> list[Transform]:
    return [
        transform_of(node.operator, node.parameters)
        for node in flow.upstream(node_id)
        if node.type == "TRANSFORM" and not node.disabled
    ]


def _script(
    flow: Flow, node_id: str, output: str, name: str, form: str, body: Template
) -> Exported:
    while flow.node(node_id).type not in ("SOURCE", "TRANSFORM"):
        link = flow.node(node_id).inputs[0]
        node_id, output = link.node_id, link.output_name
    slug = name.replace("_", "-").strip("-")
    standard, others = _MODULES[form]
    lines, notes = _sources(flow, node_id)
    names = {
        "standard": standard,
        "others": others,
        "flow": python_literal(f"{name}.flow"),
        "image": _IMAGE,
        "output": python_literal(f"{node_id}.{output}"),
        "slug": slug,
    }
    head = _HEAD.substitute(names, docstring=_SAYS[form])
    if form == "endpoint":
        head = _without(head, "OUTPUT = ", "PREFIX = ", "FLOW = ", "INSTANCE_TYPE = ")
        notes = []
    else:
        head += "SOURCES = {\n" + "".join(lines) + "}\n" if lines else "SOURCES = {}\n"
        notes.append(f"Save the flow as {name}.flow beside {name}_{form}.py.")
    notes.append("ROLE and BUCKET are placeholders.")
    text = head + body.substitute(names)
    return Exported(text, f"{name}_{form}.py", PYTHON, tuple(notes))


_SAYS = {
    "processing": "Runs a flow over the whole data as a processing job.",
    "pipeline": "Makes a pipeline that runs a flow.",
    "endpoint": "Deploys a fitted flow in front of a model.",
}


def _without(text: str, *beginnings: str) -> str:
    return "".join(
        line for line in text.splitlines(keepends=True) if not line.startswith(beginnings)
    )


def _sources(flow: Flow, node_id: str) -> tuple[list[str], list[str]]:
    """Lines of the mapping of inputs, and notes."""
    lines, notes = [], []
    for node in flow.upstream(node_id):
        if node.type != "SOURCE":
            continue
        source = Source.of(node)
        if source.kind == "sql":
            continue
        if source.kind == "file":
            notes.append(
                f"{source.uri} is a file of this machine, and a job reads S3: upload it, and "
                "change the source to its URI."
            )
            continue
        uri = python_literal(source.uri)
        lines.append(f"    {python_literal(source.shown_name)}: {uri},\n")
    return lines, notes
