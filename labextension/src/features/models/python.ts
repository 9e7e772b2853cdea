import { pythonString } from '../../shared/python';

/** The boto3 calls that list all groups. */
export function groupsPython(): string {
  return `import boto3

sagemaker = boto3.client("sagemaker")
for page in sagemaker.get_paginator("list_model_package_groups").paginate():
    for group in page["ModelPackageGroupSummaryList"]:
        print(group["ModelPackageGroupName"])
`;
}

/** The boto3 calls that list the versions of a group. */
export function versionsPython(group: string): string {
  return `import boto3

sagemaker = boto3.client("sagemaker")
for page in sagemaker.get_paginator("list_model_packages").paginate(
    ModelPackageGroupName=${pythonString(group)}
):
    for version in page["ModelPackageSummaryList"]:
        print(version["ModelPackageVersion"], version["ModelApprovalStatus"])
`;
}

/** The boto3 calls that approve a version and make a model of it. */
export function versionPython(arn: string, role: string): string {
  return `import boto3

sagemaker = boto3.client("sagemaker")
sagemaker.update_model_package(
    ModelPackageArn=${pythonString(arn)},
    ModelApprovalStatus="Approved",
)
sagemaker.create_model(
    ModelName=${pythonString(arn.split('/').slice(-2).join('-'))},
    ExecutionRoleArn=${pythonString(role)},
    PrimaryContainer={"ModelPackageName": ${pythonString(arn)}},
)
`;
}
