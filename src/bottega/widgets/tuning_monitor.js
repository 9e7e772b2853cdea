/**
 * The monitor of a tuning job. What it shows comes from the kernel by the model's traits; where the
 * kernel is gone, from the Jupyter server that the page was loaded from.
 */

const RUNNING = ['InProgress', 'Stopping'];
const SIGNS = { Completed: '✓', Failed: '✗', Stopped: '■', Stopping: '■' };
const SILENCE_MS = 6000;
const POLL_MS = 2000;
const MOST_POINTS = 400;
const SHOWN_TRIALS = 10;
const WIDGET_STATE = 'application/vnd.jupyter.widget-state+json';
const MONITOR = 'bottega.widgets.tuning_monitor.TuningMonitor';
const SVG = 'http://www.w3.org/2000/svg';

/** An element with attributes and children; texts are set as texts. */
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function draw(tag, attributes, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    node.setAttribute(name, String(value));
  }
  if (text !== undefined) {
    node.textContent = text;
  }
  return node;
}

function duration(seconds) {
  if (seconds < 60) {
    return `${Math.max(0, seconds).toFixed(seconds < 10 ? 1 : 0)} s`;
  }
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) {
    return `${minutes} min ${String(Math.floor(seconds % 60)).padStart(2, '0')} s`;
  }
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

function number(value) {
  return String(Number(value.toPrecision(6)));
}

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

/** Calls operations through the Jupyter server; null where the page does not come from one. */
function jupyterServer() {
  const element = document.getElementById('jupyter-config-data');
  if (!element) {
    return null;
  }
  const config = JSON.parse(element.textContent || '{}');
  const base = config.baseUrl || '/';
  return async (service, operation, request) => {
    const headers = { 'Content-Type': 'application/json' };
    const cookie = document.cookie.match(/(?:^|; )_xsrf=([^;]*)/);
    if (cookie) {
      headers['X-XSRFToken'] = decodeURIComponent(cookie[1]);
    }
    if (config.token) {
      headers['Authorization'] = `token ${config.token}`;
    }
    const answer = await fetch(`${base}bottega/operations/${service}/${operation}`, {
      method: 'POST',
      credentials: 'same-origin',
      headers,
      body: JSON.stringify(request)
    });
    const body = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      throw new Error(body.message || `the Jupyter server answered ${answer.status}`);
    }
    return body;
  };
}

/** The job as the Jupyter server's studio knows it, which need not be the kernel's. */
async function describe(call, known) {
  const request = { TuningJobName: known.TuningJobName, MaxPoints: MOST_POINTS };
  const progress = await call('bottega', 'DescribeTuningProgress', request);
  if (progress.CreationTime !== known.CreationTime) {
    throw new Error('it works on another home, where this name is another job');
  }
  return progress;
}

/** The same facts that the kernel sends, asked of the Jupyter server. */
async function ask(call, known) {
  const progress = await describe(call, known);
  const { Trials } = await call('bottega', 'ListTuningTrials', {
    TuningJobName: known.TuningJobName,
    SortBy: 'Objective',
    SortOrder: progress.Objectives[0].Type === 'Maximize' ? 'Descending' : 'Ascending',
    MaxResults: SHOWN_TRIALS,
    CoursePoints: 0
  });
  const trials = Trials.filter(trial => trial.Objective !== undefined);
  return { progress, trials, seen: Date.now() / 1000 };
}

/**
 * Keeps in the notebook, in Jupyter's own form, what a page needs to show the monitors again when the
 * kernel is gone; of monitors whose job has ended, nothing is kept. JupyterLab would do it only for
 * those who switched on that all widgets are saved.
 */
async function keepInNotebook(manager) {
  const notebook = manager?.context?.model;
  if (!notebook?.setMetadata || !manager.get_state) {
    return; // another page than JupyterLab's and Notebook's
  }
  const all = (await manager.get_state()).state;
  const kept = { ...notebook.getMetadata('widgets')?.[WIDGET_STATE]?.state };
  for (const id of withLayouts(kept, () => true)) {
    delete kept[id];
  }
  for (const id of withLayouts(all, item => RUNNING.includes(item.state.progress?.Status))) {
    kept[id] = all[id];
  }
  if (Object.keys(kept).length) {
    const value = { version_major: 2, version_minor: 0, state: kept };
    notebook.setMetadata('widgets', { [WIDGET_STATE]: value });
  } else {
    notebook.deleteMetadata('widgets');
  }
}

/** The ids of chosen monitors in a saved state, and of their layouts. */
function withLayouts(state, chosen) {
  const monitors = Object.keys(state).filter(
    id => state[id].state._anywidget_id === MONITOR && chosen(state[id])
  );
  const layouts = monitors.map(id => String(state[id].state.layout).replace('IPY_MODEL_', ''));
  return [...monitors, ...layouts.filter(id => id in state)];
}

/** A dot for each trial that has ended, and the best so far as steps. */
function chart(progress) {
  const { Values, Best, Numbers } = progress.Best;
  const metric = progress.Objectives[0].MetricName;
  const known = [...Values, ...Best].filter(Number.isFinite);
  if (!known.length) {
    return null;
  }
  const [width, height, pad] = [520, 150, 8];
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const x = index => pad + (index / (Best.length - 1 || 1)) * (width - 2 * pad);
  const y = value =>
    height - pad - (high > low ? (value - low) / (high - low) : 0.5) * (height - 40);
  const latest = Best[Best.length - 1];
  const svg = draw('svg', {
    role: 'img',
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    'aria-label': `The best ${metric} over ${Best.length} trials, from ${number(Best[0])} to ${number(latest)}`
  });
  const label = draw('text', { x: pad, y: 14, class: 'bottega-metric' });
  const plain = `Best ${metric}: ${number(latest)}`;
  label.textContent = plain;
  svg.append(
    label,
    draw('text', { x: pad, y: 27, class: 'bottega-range' }, `${number(low)} … ${number(high)}`)
  );
  Values.forEach((value, index) => {
    if (Number.isFinite(value)) {
      svg.append(draw('circle', { class: 'bottega-trial', r: 2.5, cx: x(index), cy: y(value) }));
    }
  });
  const corners = Best.flatMap((value, index) =>
    index ? [[x(index), y(Best[index - 1])], [x(index), y(value)]] : [[x(index), y(value)]]
  );
  svg.append(
    draw('polyline', {
      class: 'bottega-curve',
      points: corners.map(corner => corner.map(at => at.toFixed(1)).join(',')).join(' ')
    })
  );
  svg.addEventListener('pointermove', event => {
    const share = (event.clientX - svg.getBoundingClientRect().left - pad) / (width - 2 * pad);
    const index = Math.max(0, Math.min(Values.length - 1, Math.round(share * (Best.length - 1))));
    label.textContent = `Trial ${Numbers[index]}: ${number(Values[index])}, best by then ${number(Best[index])}`;
  });
  svg.addEventListener('pointerleave', () => {
    label.textContent = plain;
  });
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

function render({ model, el }) {
  const call = jupyterServer();
  const name = model.get('name');
  const fromModel = () => ({
    progress: model.get('progress'),
    trials: model.get('trials'),
    seen: model.get('seen')
  });
  let facts = fromModel();
  let heard = Date.now(); // from the kernel
  if (Date.now() - facts.seen * 1000 > SILENCE_MS) {
    heard = 0; // restored from a saved notebook: nobody may be there
  }

  const title = make('strong', {}, name);
  const status = make('span', { class: 'bottega-status' });
  const elapsed = make('span', { class: 'bottega-quiet' });
  const stop = make('button', { type: 'button', class: 'bottega-button' }, 'Stop');
  const failure = make('pre', { class: 'bottega-failure', role: 'alert' });
  const bar = make('progress', { 'aria-label': 'Trials that have ended' });
  const counted = make('span', { class: 'bottega-quiet' });
  const best = make('p', { class: 'bottega-best' });
  const curves = make('div', { class: 'bottega-curves' });
  const rows = make('div', { class: 'bottega-scroll', tabindex: '0', 'aria-label': 'The best trials' });
  const folded = make('details', {}, make('summary', {}, 'The best trials'), rows);
  const note = make('p', { class: 'bottega-quiet', 'aria-live': 'polite' });
  el.append(
    make(
      'section',
      { class: 'bottega-widget', 'aria-label': `Tuning job ${name}` },
      make('header', { class: 'bottega-row' }, title, status, elapsed, stop),
      failure,
      make('div', { class: 'bottega-row' }, bar, counted),
      best,
      curves,
      folded,
      note
    )
  );

  let drawn = '';
  const running = () => RUNNING.includes(facts.progress.Status);
  function show() {
    const { progress, trials, seen } = facts;
    const state = progress.Status;
    status.textContent = `${SIGNS[state] || '●'} ${state}`;
    status.dataset.status = state;
    elapsed.textContent = duration((progress.EndTime || seen) - progress.CreationTime);
    stop.hidden = !running();
    stop.disabled = state === 'Stopping';
    failure.hidden = !progress.FailureReason;
    if (failure.textContent !== (progress.FailureReason || '')) {
      failure.textContent = progress.FailureReason || '';
    }
    counted.textContent = counters(progress);
    const { Total, InProgress, Limit } = progress.Trials;
    bar.hidden = Limit === undefined || !running();
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
    if (!running() && !progress.FailureReason && progress.EndReason) {
      note.textContent = progress.EndReason;
    }
  }

  function keep() {
    keepInNotebook(model.widget_manager).catch(error =>
      console.warn(`The monitor of ${name} is not kept in the notebook:`, error)
    );
  }
  function fromKernel() {
    const ran = running();
    heard = Date.now();
    facts = fromModel();
    note.textContent = model.get('problem');
    show();
    if (ran && !running()) {
      keep(); // which now leaves it out
    }
  }
  const traits = ['seen', 'problem'];
  traits.forEach(trait => model.on(`change:${trait}`, fromKernel));

  async function withoutKernel() {
    if (!running() || Date.now() - heard < SILENCE_MS || document.hidden) {
      return;
    }
    if (!call) {
      note.textContent = 'The kernel is silent. Run the cell again to follow the job.';
      return;
    }
    try {
      facts = await ask(call, facts.progress);
      note.textContent = 'The kernel is silent; this comes from the Jupyter server.';
      show();
    } catch (error) {
      note.textContent = `The kernel is silent, and the Jupyter server says: ${error.message}`;
    }
  }

  stop.addEventListener('click', async () => {
    stop.disabled = true;
    // The kernel would listen only when the cell has ended; the Jupyter server does at once.
    if (call) {
      try {
        await describe(call, facts.progress);
        await call('sagemaker', 'StopHyperParameterTuningJob', { HyperParameterTuningJobName: name });
        note.textContent = 'Asked the job to stop.';
        return;
      } catch (error) {
        note.textContent = `The Jupyter server says: ${error.message}. Asking the kernel.`;
      }
    }
    model.send({ do: 'stop' });
  });

  let timer = 0;
  let gone = false;
  async function tick() {
    await withoutKernel();
    if (!gone) {
      timer = window.setTimeout(tick, POLL_MS);
    }
  }
  show();
  if (model.get('problem')) {
    note.textContent = model.get('problem');
  }
  tick();
  if (running()) {
    keep();
  }
  return () => {
    gone = true;
    window.clearTimeout(timer);
    traits.forEach(trait => model.off(`change:${trait}`, fromKernel));
  };
}

export default { render };
