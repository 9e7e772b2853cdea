import { expect, test } from "../fixtures/studio";
import { JobPage } from "../pages/job";

const THEMES = ["JupyterLab Light", "JupyterLab Dark"];

/** A table whose label column is called otherwise. */
const NO_LABEL = `
import pandas

print("reading", flush=True)
for number in range(300):
    print("row", number, flush=True)
frame = pandas.DataFrame({"churn": [0, 1], "age": [31, 45]})


def labels(table):
    return table["Churn"]


y = labels(frame)
`;
const FAILING_LINE =
  NO_LABEL.split("\n").indexOf('    return table["Churn"]') + 1;

/** A script that fails for a reason that no known cause is. */
const OWN_REASON = `
print("giving", flush=True)
raise RuntimeError("the season is over")
`;

test("a failed job says its cause, and leads to the line of its log", async ({
  page,
  studio,
}, info) => {
  const job = new JobPage(studio);
  const name = await studio.startScript("no-label", NO_LABEL);
  await studio.awaitJob(name, "Failed");
  await job.open(name);
  await expect(job.failure).toContainText("Missing label column");
  await expect(job.failure.getByRole("alert")).toHaveText(
    /The data have no label column 'Churn'/,
  );
  await expect(job.failure.getByRole("listitem")).not.toHaveCount(0);
  for (const theme of THEMES) {
    await page.theme.setTheme(theme);
    const shade = theme.endsWith("Dark") ? "dark" : "light";
    await page.screenshot({ path: info.outputPath(`cause-${shade}.png`) });
  }
  await page.theme.setTheme(THEMES[0] as string);

  const evidence = job.failure.getByRole("button", {
    name: "KeyError: 'Churn'",
  });
  await evidence.focus();
  await page.keyboard.press("Enter");
  await expect(
    studio.screen.getByRole("tab", { name: "Logs" }),
  ).toHaveAttribute("aria-selected", "true");
  const marked = studio.screen.locator('[data-line][aria-current="true"]');
  await expect(marked).toContainText("KeyError: 'Churn'");
  await expect(marked).toBeInViewport();
  await page.screenshot({ path: info.outputPath("line.png") });
});

test("a reason of its own is called unknown, with the traceback open", async ({
  page,
  studio,
}, info) => {
  const job = new JobPage(studio);
  const name = await studio.startScript("own-reason", OWN_REASON);
  await studio.awaitJob(name, "Failed");
  await job.open(name);
  await expect(job.failure).toContainText("Unknown cause");
  await expect(job.failure.getByRole("alert")).toHaveText(
    "RuntimeError: the season is over",
  );
  await expect(job.failure.getByLabel("Traceback")).toBeVisible();
  await page.screenshot({ path: info.outputPath("unknown.png") });
});

test("a replay fails in its notebook as the job did", async ({
  page,
  studio,
}, info) => {
  const job = new JobPage(studio);
  const name = await studio.startScript("replayed", NO_LABEL);
  await studio.awaitJob(name, "Failed");
  await job.open(name);
  await expect(job.failure).toContainText("Missing label column");
  await job.press("Replay");
  await expect(page.locator(".jp-NotebookPanel")).toBeVisible();
  await page.notebook.activate("replay.ipynb");
  await expect(page.locator(".jp-NotebookPanel")).toContainText(
    `Replay of ${name}`,
  );
  // Galata's own way waits for all cells, and those behind an error do not run.
  await page.menu.clickMenuItem("Run>Run All Cells");
  const panel = page.locator(".jp-NotebookPanel");
  await expect(panel).toContainText("KeyError: 'Churn'", { timeout: 60_000 });
  // The traceback points at the line.
  await expect(panel).toContainText(
    new RegExp(`-+> ?${FAILING_LINE} .*table\\["Churn"\\]`),
  );
  await page.screenshot({ path: info.outputPath("replay.png") });
});
