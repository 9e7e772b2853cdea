/** The report of a training job's rules. */

const COLLECTIONS = ['losses', 'metrics'];
const SHOWN_TENSORS = 6;
const MOST_POINTS = 200;
const ENDED = ['Completed', 'Failed', 'Stopped'];

async function describe(call, { description: known }) {
  const request = { TrainingJobName: known.TrainingJobName };
  return sameJob(await call('sagemaker', 'DescribeTrainingJob', request), known);
}

async function ask(call, known) {
  const description = await describe(call, known);
  const job = { TrainingJobName: description.TrainingJobName };
  const found = await call('bottega', 'DescribeTrainingJobDebugger', job);
  const saved = found.Collections.filter(item => item.TensorCount).map(item => item.Name);
  const Collection = COLLECTIONS.find(name => saved.includes(name));
  const courses = Collection
    ? (
        await call('bottega', 'GetTensorCourses', {
          ...job,
          Collection,
          MaxPoints: MOST_POINTS,
          MaxTensors: SHOWN_TENSORS
        })
      ).Courses
    : [];
  return { description, rules: found.Rules, courses, seen: Date.now() / 1000 };
}

function isRunning({ description }) {
  return !ENDED.includes(description?.TrainingJobStatus);
}

/** The page of the Studio that shows a job's reports; null where there is no Jupyter server. */
function reportsLink(job, report) {
  const element = document.getElementById('jupyter-config-data');
  if (!element) {
    return null;
  }
  const base = JSON.parse(element.textContent || '{}').baseUrl || '/';
  const path = `job-reports/${encodeURIComponent(job)}?report=${encodeURIComponent(report)}`;
  return `${base}lab?bottega=${encodeURIComponent(path)}`;
}

/** A line for each page that a rule has written: a link into the Studio, or where it is. */
function reportLines(job, rules) {
  return rules.flatMap(rule =>
    rule.Reports.filter(file => file.Name.endsWith('.html')).map(file => {
      const name = rule.RuleConfigurationName;
      const link = reportsLink(job, `${name}/${file.Name}`);
      return link
        ? make('li', {}, make('a', { href: link, target: '_blank', rel: 'noopener' }, `Report of ${name}`))
        : make('li', {}, `Report of ${name}: `, make('code', {}, file.S3Uri));
    })
  );
}

function body() {
  const rules = rulesList();
  const none = make('p', { class: 'bottega-quiet' }, 'The job was started without rules.');
  const curves = make('div', { class: 'bottega-curves' });
  const reports = make('ul', { class: 'bottega-rules', 'aria-label': 'Reports' });
  let drawn = '';
  function show(facts) {
    rules.show(facts.rules);
    none.hidden = facts.rules.length > 0;
    const now = JSON.stringify(facts.courses.map(course => [course.TensorName, course.PointCount]));
    if (now !== drawn) {
      drawn = now;
      const named = facts.courses.map(course => ({ ...course, Name: course.TensorName }));
      curves.replaceChildren(...named.map(courseChart).filter(Boolean));
    }
    reports.replaceChildren(...reportLines(facts.description.TrainingJobName, facts.rules));
    reports.hidden = !reports.childElementCount;
  }
  return { nodes: [none, rules.node, curves, reports], show };
}

export default monitor({
  widget: 'bottega.widgets.debugger_report.DebuggerReport',
  kind: 'Debugger of',
  traits: ['description', 'rules', 'courses'],
  isRunning,
  headOf: ({ description }) => ({
    state: description.TrainingJobStatus,
    words: isRunning({ description }) ? description.SecondaryStatus : description.TrainingJobStatus,
    from: description.CreationTime,
    to: description.TrainingEndTime,
    failure: description.FailureReason
  }),
  describe,
  ask,
  stop: (call, name) => call('sagemaker', 'StopTrainingJob', { TrainingJobName: name }),
  body
});
