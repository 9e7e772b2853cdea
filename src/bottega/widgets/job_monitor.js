/** The monitor of a training job. */

const LOG_GROUP = '/aws/sagemaker/TrainingJobs';
const CELL_METRIC = 'notebook:cell';
const CELLS_VARIABLE = 'BOTTEGA_NOTEBOOK_CELLS';
const ROUNDS = ['num_round', 'epochs', 'n_estimators'];
const TAIL_LINES = 200;

async function ask(call, known) {
  const name = known.description.TrainingJobName;
  const description = await describe(call, known);
  const metrics = await call('bottega', 'GetTrainingJobMetrics', {
    TrainingJobName: name,
    MaxPoints: 200
  });
  const lines = [];
  const { logStreams } = await call('logs', 'DescribeLogStreams', {
    logGroupName: LOG_GROUP,
    logStreamNamePrefix: `${name}/`
  }).catch(() => ({ logStreams: [] })); // before the first line there is no group
  for (const { logStreamName } of logStreams) {
    const found = await call('bottega', 'ReadLogLines', {
      LogGroupName: LOG_GROUP,
      LogStreamName: logStreamName,
      MaxLines: TAIL_LINES
    });
    const host = logStreamName.slice(name.length + 1).replace(/-\d+$/, '');
    const prefix = logStreams.length > 1 ? `${host} | ` : '';
    lines.push(...found.Lines.map(line => prefix + line.Message));
  }
  const rules = await rulesOf(call, description);
  return { description, courses: metrics.Metrics, lines, rules, seen: Date.now() / 1000 };
}

function progressOf({ description, courses, seen }) {
  const values = description.HyperParameters || {};
  const cells = courses.some(course => course.Name === CELL_METRIC);
  const texts = cells
    ? [(description.Environment || {})[CELLS_VARIABLE]]
    : ROUNDS.map(name => String(values[name] || '').replaceAll('"', ''));
  const total = Number(texts.find(text => /^[1-9]\d*$/.test(text)));
  if (!total) {
    return null;
  }
  if (description.TrainingJobStatus === 'Completed') {
    return { done: total, total };
  }
  const done = Math.min(total, Math.max(0, ...courses.map(course => course.Points)));
  const steps = description.SecondaryStatusTransitions || [];
  const start = steps.find(step => step.Status === 'Training')?.StartTime;
  const running = isRunning({ description }) && start && done;
  return { done, total, left: running ? ((seen - start) / done) * (total - done) : undefined };
}

function body() {
  const way = make('ol', { class: 'bottega-way', 'aria-label': 'Status' });
  const bar = make('progress', { 'aria-label': 'Progress' });
  const left = make('span', { class: 'bottega-quiet' });
  const progress = make('div', { class: 'bottega-row' }, bar, left);
  const curves = make('div', { class: 'bottega-curves' });
  const rules = rulesList();
  const log = make('pre', { class: 'bottega-log', tabindex: '0', 'aria-label': 'Last lines of the log' });
  const folded = make('details', {}, make('summary', {}, 'Log'), log);
  let drawn = '';
  function show(facts) {
    const { description, courses, lines } = facts;
    way.replaceChildren(
      ...(description.SecondaryStatusTransitions || []).map(step =>
        make('li', { title: step.StatusMessage || '' }, `${step.Status} `,
          make('span', { class: 'bottega-quiet' },
            step.EndTime ? duration(step.EndTime - step.StartTime) : '…'))
      )
    );
    const far = progressOf(facts);
    progress.hidden = !far || !isRunning(facts);
    if (far) {
      bar.max = far.total;
      bar.value = far.done;
      const rest = far.left === undefined ? '' : `, about ${duration(far.left)} left`;
      left.textContent = `${far.done} of ${far.total}${rest}`;
    }
    const shown = JSON.stringify(courses.map(course => [course.Name, course.Points]));
    if (shown !== drawn) {
      drawn = shown;
      curves.replaceChildren(
        ...courses
          .filter(course => course.Name !== CELL_METRIC)
          .map(courseChart)
          .filter(Boolean)
      );
    }
    rules.show(facts.rules || []);
    folded.hidden = !lines.length;
    const following = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
    log.textContent = lines.join('\n');
    if (following) {
      log.scrollTop = log.scrollHeight;
    }
  }
  return { nodes: [way, progress, curves, rules.node, folded], show };
}

export default trainingMonitor({
  widget: 'bottega.widgets.job_monitor.JobMonitor',
  kind: 'Training job',
  traits: ['description', 'courses', 'lines', 'rules'],
  ask,
  body
});
