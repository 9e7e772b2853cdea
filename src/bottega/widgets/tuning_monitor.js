/** The monitor of a tuning job. */

const RUNNING = ['InProgress', 'Stopping'];
const MOST_POINTS = 400;
const SHOWN_TRIALS = 10;

/** A hyperparameter's value as people read it: six digits of a fraction, a text without quotes. */
export function valueText(value) {
  const plain = value.replace(/^"(.*)"$/s, '$1');
  return /^-?\d+$/.test(plain) || plain.trim() === '' || !Number.isFinite(Number(plain))
    ? plain
    : number(Number(plain));
}

/** `12 of 20 trials ended: 9 completed, 2 stopped early, 1 failed; 2 running` */
export function counters(progress) {
  const { Total, InProgress, Completed, Stopped, Failed, Limit } = progress.Trials;
  const early = progress.StoppedEarly || 0;
  const kinds = [
    [Completed, 'completed'],
    [early, 'stopped early'],
    [Stopped - early, 'stopped'],
    [Failed, 'failed']
  ];
  const ended = kinds
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`)
    .join(', ');
  const of = Limit === undefined ? '' : ` of ${Limit}`;
  const running = InProgress ? `; ${InProgress} running` : '';
  return `${Total - InProgress}${of} trials ended${ended ? ': ' : ''}${ended}${running}`;
}

async function describe(call, { progress: known }) {
  const request = { TuningJobName: known.TuningJobName, MaxPoints: MOST_POINTS };
  return sameJob(await call('bottega', 'DescribeTuningProgress', request), known);
}

async function ask(call, known) {
  const progress = await describe(call, known);
  const { Trials } = await call('bottega', 'ListTuningTrials', {
    TuningJobName: progress.TuningJobName,
    SortBy: 'Objective',
    SortOrder: progress.Objectives[0].Type === 'Maximize' ? 'Descending' : 'Ascending',
    MaxResults: SHOWN_TRIALS,
    CoursePoints: 0
  });
  const trials = Trials.filter(trial => trial.Objective !== undefined);
  return { progress, trials, seen: Date.now() / 1000 };
}

function isRunning({ progress }) {
  return RUNNING.includes(progress?.Status);
}

/** A dot for each trial that has ended, and the best so far as steps. */
function chart(progress) {
  const { Values, Best, Numbers } = progress.Best;
  const metric = progress.Objectives[0].MetricName;
  const known = [...Values, ...Best].filter(Number.isFinite);
  if (!known.length) {
    return null;
  }
  const steps = Best.length - 1 || 1;
  const latest = number(Best[Best.length - 1]);
  const { svg, title, x, y, shareAt } = plot(
    520,
    150,
    known,
    `The best ${metric} over ${Best.length} trials, from ${number(Best[0])} to ${latest}`
  );
  const rest = () => {
    title.textContent = `Best ${metric}: ${latest}`;
  };
  rest();
  Values.forEach((value, index) => {
    if (Number.isFinite(value)) {
      const at = { cx: x(index / steps), cy: y(value) };
      svg.append(draw('circle', { class: 'bottega-trial', r: 2.5, ...at }));
    }
  });
  svg.append(
    line(
      Best.flatMap((value, index) => {
        const corner = [x(index / steps), y(value)];
        return index ? [[corner[0], y(Best[index - 1])], corner] : [corner];
      })
    )
  );
  svg.addEventListener('pointermove', event => {
    const nearest = Math.round(shareAt(event) * steps);
    const index = Math.max(0, Math.min(Values.length - 1, nearest));
    title.textContent = `Trial ${Numbers[index]}: ${number(Values[index])}, best by then ${number(Best[index])}`;
  });
  svg.addEventListener('pointerleave', rest);
  return svg;
}

/** The best trials, best first. */
function table(trials, metric) {
  const names = [...new Set(trials.flatMap(trial => Object.keys(trial.Parameters)))];
  const row = (tag, cells) =>
    make('tr', {}, ...cells.map(cell => make(tag, tag === 'th' ? { scope: 'col' } : {}, cell)));
  return make(
    'table',
    { class: 'bottega-trials' },
    make('thead', {}, row('th', ['Trial', 'Status', metric, ...names])),
    make(
      'tbody',
      {},
      ...trials.map(trial =>
        row('td', [
          String(trial.Number),
          trial.Status,
          number(trial.Objective),
          ...names.map(name => valueText(trial.Parameters[name] ?? ''))
        ])
      )
    )
  );
}

function body() {
  const bar = make('progress', { 'aria-label': 'Trials that have ended' });
  const counted = make('span', { class: 'bottega-quiet' });
  const best = make('p', { class: 'bottega-best' });
  const curves = make('div', { class: 'bottega-curves' });
  const rows = make('div', { class: 'bottega-scroll', tabindex: '0', 'aria-label': 'The best trials' });
  const folded = make('details', {}, make('summary', {}, 'The best trials'), rows);
  let drawn = '';
  function show(facts) {
    const { progress, trials } = facts;
    counted.textContent = counters(progress);
    const { Total, InProgress, Limit } = progress.Trials;
    bar.hidden = Limit === undefined || !isRunning(facts);
    bar.max = Limit || 1;
    bar.value = Total - InProgress;
    const found = progress.BestTrial;
    best.hidden = !found;
    if (found) {
      const given = Object.entries(found.Parameters)
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([key, value]) => `${key} = ${valueText(value)}`)
        .join(', ');
      best.textContent = `Best: ${number(found.Objective)} by trial ${found.Number}: ${given}`;
    }
    const shown = JSON.stringify([progress.Best, trials]);
    if (shown !== drawn) {
      drawn = shown;
      const picture = chart(progress);
      curves.replaceChildren(...(picture ? [picture] : []));
      rows.replaceChildren(table(trials, progress.Objectives[0].MetricName));
    }
    folded.hidden = !trials.length;
    return isRunning(facts) || progress.FailureReason ? undefined : progress.EndReason;
  }
  const counting = make('div', { class: 'bottega-row' }, bar, counted);
  return { nodes: [counting, best, curves, folded], show };
}

export default monitor({
  widget: 'bottega.widgets.tuning_monitor.TuningMonitor',
  kind: 'Tuning job',
  traits: ['progress', 'trials'],
  isRunning,
  headOf: ({ progress }) => ({
    state: progress.Status,
    words: progress.Status,
    from: progress.CreationTime,
    to: progress.EndTime,
    failure: progress.FailureReason
  }),
  describe,
  ask,
  stop: (call, name) =>
    call('sagemaker', 'StopHyperParameterTuningJob', { HyperParameterTuningJobName: name }),
  body
});
