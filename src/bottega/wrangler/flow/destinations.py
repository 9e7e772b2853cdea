"""What DESTINATION nodes say: where a job writes a table."""

from __future__ import annotations

from bottega.wrangler.parameters import Parameter, ParameterSet

S3_DESTINATION = "sagemaker.spark.s3_destination_0.1"
DESTINATION = ParameterSet(
    (
        Parameter("name", "text", "Name", "What the graph calls it."),
        Parameter(
            "output_path",
            "text",
            "Folder",
            "The S3 prefix that the files are written below; the job says it when empty.",
            path="output_config.output_path",
            default="",
        ),
        Parameter(
            "output_content_type",
            "choice",
            "Format",
            "Of the files.",
            path="output_config.output_content_type",
            default="CSV",
            choices=("CSV", "Parquet"),
        ),
        Parameter(
            "delimiter",
            "text",
            "Delimiter",
            "Between the fields of a row.",
            path="output_config.delimiter",
            default=",",
            when=("output_content_type", ("CSV",)),
        ),
        Parameter(
            "compression",
            "choice",
            "Compression",
            "Of the files.",
            path="output_config.compression",
            default="none",
            choices=("none", "gzip", "bzip2", "snappy", "zstd"),
        ),
    )
)
"""Of destinations in S3."""
