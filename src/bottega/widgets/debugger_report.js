/** The report of a training job's rules. */

const COLLECTIONS = ['losses', 'metrics'];
const SHOWN_TENSORS = 6;
const MOST_POINTS = 200;
const SETTLED = ['NoIssuesFound', 'IssuesFound', 'Error', 'Stopped'];

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

/** Whether the job runs, or a rule has not come to its last word. */
export function isFollowed(facts) {
  return isRunning(facts) || (facts.rules || []).some(rule => !SETTLED.includes(rule.Status));
}

/** Courses by the names of their charts: with the mode where a tensor was saved in several. */
export function named(courses) {
  const names = courses.map(course => course.TensorName);
  const isAlone = name => names.indexOf(name) === names.lastIndexOf(name);
  return courses.map(course => {
    const name = course.TensorName;
    return { ...course, Name: isAlone(name) ? name : `${name} ${course.Mode}` };
  });
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
      curves.replaceChildren(...named(facts.courses).map(courseChart).filter(Boolean));
    }
    reports.replaceChildren(...reportLines(facts.description.TrainingJobName, facts.rules));
    reports.hidden = !reports.childElementCount;
  }
  return { nodes: [none, rules.node, curves, reports], show };
}

export default trainingMonitor({
  widget: 'bottega.widgets.debugger_report.DebuggerReport',
  kind: 'Debugger of',
  traits: ['description', 'rules', 'courses'],
  isRunning: isFollowed,
  ask,
  body
});
