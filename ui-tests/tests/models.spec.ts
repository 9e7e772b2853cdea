import { expectAccessible } from "../fixtures/accessible";
import { expect, test } from "../fixtures/studio";

test("a version is approved, deployed, and found in its lineage", async ({
  page,
  studio,
}, info) => {
  const job = "registered-model";
  await studio.startTraining(job, { num_round: "10" });
  await studio.awaitJob(job, "Completed");
  const trained = await studio.call<{
    AlgorithmSpecification: { TrainingImage: string };
    ModelArtifacts: { S3ModelArtifacts: string };
  }>("sagemaker", "DescribeTrainingJob", { TrainingJobName: job });
  await studio.call("sagemaker", "CreateModelPackageGroup", {
    ModelPackageGroupName: "Churn",
  });
  await studio.call("sagemaker", "CreateModelPackage", {
    ModelPackageGroupName: "Churn",
    ModelApprovalStatus: "PendingManualApproval",
    InferenceSpecification: {
      Containers: [
        {
          Image: trained.AlgorithmSpecification.TrainingImage,
          ModelDataUrl: trained.ModelArtifacts.S3ModelArtifacts,
        },
      ],
    },
  });

  await studio.open("models");
  await studio.screen.getByText("Churn", { exact: true }).dblclick();
  await expect(
    studio.screen.getByRole("heading", { name: "Version 1" }),
  ).toBeVisible();
  const deploy = studio.screen.getByRole("button", { name: "Deploy" });
  await expect(deploy).toBeDisabled();
  const approve = studio.screen.getByRole("button", { name: "Approve" });
  await expect(approve).toBeEnabled({ timeout: 30_000 });
  await approve.click();
  await page.getByRole("dialog").getByRole("textbox").fill("it is better");
  await page
    .getByRole("dialog")
    .getByRole("button", { name: "Approve" })
    .click();
  await expect(
    studio.screen.locator('[data-approval="Approved"]'),
  ).toContainText("it is better");
  await expect(
    studio.screen.getByRole("button", { name: new RegExp(job) }),
  ).toBeVisible();

  await deploy.click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Endpoint name").fill("churn-live");
  await dialog.getByRole("button", { name: "Deploy" }).click();
  await expect(studio.screen).toContainText("InService", { timeout: 60_000 });

  await studio.open("models/Churn");
  await expect(
    studio.screen.getByRole("button", { name: /churn-live/ }),
  ).toBeVisible({ timeout: 20_000 });
  for (const shade of ["Light", "Dark"]) {
    await page.theme.setTheme(`JupyterLab ${shade}`);
    const path = info.outputPath("pictures", `models-${shade}.png`);
    await page.screenshot({ path, animations: "disabled" });
    await expectAccessible(page, `models ${shade}`, [
      ".jp-BottegaScreen:not(.lm-mod-hidden)",
    ]);
  }
});
