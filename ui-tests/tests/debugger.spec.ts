import { expectAccessible } from "../fixtures/accessible";
import { expect, test } from "../fixtures/studio";
import { DebuggerPage } from "../pages/debugger";
import { JobPage } from "../pages/job";

const FOREVER = `
import time
for line in range(100000):
    print("line", line, flush=True)
    time.sleep(0.2)
`;

const SCREEN = ".jp-BottegaScreen:not(.lm-mod-hidden)";

function rule(name: string, parameters: Record<string, string> = {}): object {
  return {
    RuleConfigurationName: name,
    RuleEvaluatorImage: "sagemaker-debugger-rules:latest",
    RuleParameters: { rule_to_invoke: name, ...parameters },
  };
}

function hook(output: string): object {
  return {
    DebugHookConfig: {
      S3OutputPath: output,
      CollectionConfigurations: ["metrics", "losses"].map((name) => ({
        CollectionName: name,
        CollectionParameters: { save_interval: "1" },
      })),
    },
  };
}

test("a rule finds what is wrong, says what to do, and stops the job", async ({
  page,
  studio,
}) => {
  const job = new JobPage(studio);
  const found = new DebuggerPage(studio);
  // With this step size nothing is learned.
  const name = await studio.startTraining(
    "learns-nothing",
    { num_round: "100000", eta: "0", eval_metric: "logloss" },
    {
      request: (output) => ({
        ...hook(output),
        DebugRuleConfigurations: [
          rule("LossNotDecreasing", {
            num_steps: "10",
            action_json:
              '[{"name": "stoptraining", "training_job_prefix": "learns-nothing"}]',
          }),
        ],
      }),
    },
  );
  await job.open(name, "debugger");
  await expect(found.status("LossNotDecreasing")).toHaveText(/IssuesFound/, {
    timeout: 60_000,
  });
  await expect(found.findings("LossNotDecreasing")).toContainText("step");
  await expect(found.rule("LossNotDecreasing")).toContainText("What to do:");
  await expect(found.rule("LossNotDecreasing")).toContainText("num_steps 10");
  await expect(job.status).toHaveText(/Stopped/, { timeout: 60_000 });
  await expect(found.rule("LossNotDecreasing")).toContainText(
    /StopTraining learns-nothing: done/,
  );
  await expect(found.drawn).toContainText(/train-logloss 0\.6\d*/);
  await expect(studio.screen.getByRole("tab", { name: /Debugger/ })).toHaveText(
    /1$/,
  );

  await found.tensors.getByRole("searchbox").fill("^validation");
  await expect(
    found.tensors.getByRole("checkbox", { name: /^train/ }),
  ).toHaveCount(0);
  await found.tensors.getByRole("searchbox").fill("(");
  await expect(found.tensors.getByRole("alert")).not.toBeEmpty();
  await expectAccessible(page, "debugger", [SCREEN]);
});

test("a job without rules shows the code of one with rules", async ({
  studio,
}) => {
  const job = new JobPage(studio);
  const name = await studio.startTraining("unwatched", { num_round: "3" });
  await studio.awaitJob(name, "Completed");
  await job.open(name, "debugger");
  await expect(
    studio.screen.getByLabel("The same job with rules, in Python"),
  ).toContainText("Rule.sagemaker(rule_configs.loss_not_decreasing())");
});

test("the profile of a job, its log at a moment, and its report", async ({
  page,
  studio,
}) => {
  test.slow(); // It walks over the timeline, and has three pages judged.
  const job = new JobPage(studio);
  const found = new DebuggerPage(studio);
  const name = await studio.startTraining(
    "profiled",
    { num_round: "40", eta: "0.05" },
    {
      request: (output) => ({
        ...hook(output),
        ProfilerConfig: {
          S3OutputPath: output,
          ProfilingIntervalInMilliseconds: 100,
        },
        ProfilerRuleConfigurations: [rule("ProfilerReport")],
      }),
    },
  );
  await studio.awaitJob(name, "Completed");
  await job.open(name, "profiler");
  await found.timeline.focus();
  await found.timeline.press("Home");
  // On to where the rounds are.
  await expect(async () => {
    await found.timeline.press("ArrowRight");
    const soon = { timeout: 500 };
    await expect(found.moment("Phases")).toContainText("step", soon);
    await expect(
      studio.screen.locator('.jp-BottegaMoment-log [aria-current="true"]'),
    ).toContainText("train-auc", soon);
  }).toPass({ intervals: [0], timeout: 60_000 });
  await expect(found.moment("Use of the machine")).toContainText(/CPU.* %/);
  const whole = await studio.screen.getByText(/^[\d.]+ s of /).textContent();
  await found.timeline.press("+");
  await expect(studio.screen.getByText(/^[\d.]+ s of /)).not.toHaveText(
    whole ?? "",
  );
  await expectAccessible(page, "profiler", [SCREEN]);

  await job.show("Debugger");
  await expect(found.status("ProfilerReport")).toHaveText(/NoIssuesFound/, {
    timeout: 60_000,
  });
  await found
    .rule("ProfilerReport")
    .getByRole("button", { name: "Open report" })
    .click();
  const report = page.frameLocator(".jp-BottegaReport");
  await expect(report.locator("body")).toContainText(name);
  await expectAccessible(page, "screen of the report", [SCREEN]);
  const html = await page.locator(".jp-BottegaReport").getAttribute("srcdoc");
  const sheet = await page.context().newPage();
  await sheet.setContent(html ?? "");
  await expectAccessible(sheet, "report", ["body"]);
  await sheet.close();
});

test("profiling is switched while the job runs", async ({ studio }) => {
  const job = new JobPage(studio);
  const name = await studio.startScript("switched", FOREVER, {
    request: (output) => ({
      ProfilerConfig: {
        S3OutputPath: output,
        ProfilingIntervalInMilliseconds: 500,
      },
    }),
  });
  await job.open(name, "profiler");
  await expect(studio.screen.getByText(/Profiling is on/)).toBeVisible();
  await job.press("Switch profiling off");
  await expect(studio.screen.getByText("Profiling is off")).toBeVisible();
  await job.press("Switch profiling on");
  await expect(studio.screen.getByText(/Profiling is on/)).toBeVisible();
});
