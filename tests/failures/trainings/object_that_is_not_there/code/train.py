import boto3
import os

bucket = os.environ["DATA_BUCKET"]
boto3.client("s3").get_object(Bucket=bucket, Key="train/no-such.csv")
