import { pythonLiteral, pythonString } from '../../shared/python';

/** The boto3 calls that list all groups. */
export function groupsPython(): string {
  return `import boto3

sagemaker = boto3.client("sagemaker")
for page in sagemaker.get_paginator("list_model_package_groups").paginate():
    for group in page["ModelPackageGroupSummaryList"]:
        print(group["ModelPackageGroupName"])
`;
}

/**
 * Code that lists the versions of a group.
 *
 * SageMaker's own ListModelPackages filters in other words; a filtered list is that of bottega.
 */
export function versionsPython(group: string, filter = ''): string {
  if (filter.trim() !== '') {
    const request = pythonLiteral({ GroupName: group, Filter: filter.trim() });
    return `import bottega

session = bottega.connect()
found = session.client.call("bottega", "ListModelVersions", ${request})
for version in found["Versions"]:
    print(version["Version"], version["Approval"], version.get("Description", ""))
`;
  }
  return `import boto3

sagemaker = boto3.client("sagemaker")
for page in sagemaker.get_paginator("list_model_packages").paginate(
    ModelPackageGroupName=${pythonString(group)}
):
    for version in page["ModelPackageSummaryList"]:
        print(version["ModelPackageVersion"], version["ModelApprovalStatus"])
`;
}

/**
 * The boto3 calls that approve a version and make a model of it.
 *
 * @param role the ARN of the execution role of the model.
 */
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

/** The boto3 calls that say why a version is not valid, and reject it. */
export function failedVersionPython(arn: string): string {
  return `import boto3

sagemaker = boto3.client("sagemaker")
version = sagemaker.describe_model_package(ModelPackageName=${pythonString(arn)})
for found in version["ModelPackageStatusDetails"]["ValidationStatuses"]:
    print(found["Name"], found["Status"], found.get("FailureReason", ""))
sagemaker.update_model_package(
    ModelPackageArn=${pythonString(arn)},
    ModelApprovalStatus="Rejected",
)
`;
}
