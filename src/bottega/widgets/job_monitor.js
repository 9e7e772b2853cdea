/**
 * The monitor of a training job. What it shows comes from the kernel by the model's traits; where the
 * kernel is gone, from the Jupyter server that the page was loaded from.
 */

const LOG_GROUP = '/aws/sagemaker/TrainingJobs';
const CELL_METRIC = 'notebook:cell';
const CELLS_VARIABLE = 'BOTTEGA_NOTEBOOK_CELLS';
const ROUNDS = ['num_round', 'epochs', 'n_estimators'];
const ENDED = ['Completed', 'Failed', 'Stopped'];
const SIGNS = { Completed: '✓', Failed: '✗', Stopped: '■', Stopping: '■' };
const SILENCE_MS = 6000;
const POLL_MS = 2000;
const TAIL_LINES = 200;
const WIDGET_STATE = 'application/vnd.jupyter.widget-state+json';
const MONITOR = 'bottega.widgets.job_monitor.JobMonitor';
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
  const name = known.TrainingJobName;
  const description = await call('sagemaker', 'DescribeTrainingJob', { TrainingJobName: name });
  if (description.CreationTime !== known.CreationTime) {
    throw new Error('it works on another home, where this name is another job');
  }
  return description;
}

/** The same facts that the kernel sends, asked of the Jupyter server. */
async function ask(call, known) {
  const name = known.TrainingJobName;
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
  return { description, courses: metrics.Metrics, lines, seen: Date.now() / 1000 };
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
  for (const id of withSurroundings(kept, () => true)) {
    delete kept[id];
  }
  for (const id of withSurroundings(all, item => !ENDED.includes(statusOf(item)))) {
    kept[id] = all[id];
  }
  if (Object.keys(kept).length) {
    const value = { version_major: 2, version_minor: 0, state: kept };
    notebook.setMetadata('widgets', { [WIDGET_STATE]: value });
  } else {
    notebook.deleteMetadata('widgets');
  }
}

function statusOf(item) {
  return item.state.description?.TrainingJobStatus;
}

/** The ids of chosen monitors in a saved state, of the boxes they are in, and of all their layouts. */
function withSurroundings(state, chosen) {
  const monitors = Object.keys(state).filter(
    id => state[id].state._anywidget_id === MONITOR && chosen(state[id])
  );
  const named = new Set(monitors.map(id => `IPY_MODEL_${id}`));
  const boxes = Object.keys(state).filter(id => state[id].state.children?.some(x => named.has(x)));
  const shown = [...monitors, ...boxes];
  const layouts = shown.map(id => String(state[id].state.layout).replace('IPY_MODEL_', ''));
  return [...shown, ...layouts.filter(id => id in state)];
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
  const running = !ENDED.includes(description.TrainingJobStatus) && start && done;
  return { done, total, left: running ? ((seen - start) / done) * (total - done) : undefined };
}

/** One metric as a small chart, with the value under the pointer. */
function chart(course) {
  const points = course.Steps.map((step, index) => [step, course.Values[index]]).filter(
    ([, value]) => Number.isFinite(value)
  );
  if (!points.length) {
    return null;
  }
  const [width, height, pad] = [260, 110, 8];
  const values = points.map(point => point[1]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [first, last] = [points[0][0], points[points.length - 1][0]];
  const x = step => pad + ((step - first) / (last - first || 1)) * (width - 2 * pad);
  const y = value =>
    height - pad - (high > low ? (value - low) / (high - low) : 0.5) * (height - 40);
  const latest = values[values.length - 1];
  const svg = draw('svg', {
    role: 'img',
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    'aria-label': `${course.Name}, ${points.length} values from ${number(values[0])} to ${number(latest)}`
  });
  const text = value => `${course.Name}: ${number(value)}`;
  const label = draw('text', { x: pad, y: 14, class: 'bottega-metric' }, text(latest));
  const range = draw(
    'text',
    { x: pad, y: 27, class: 'bottega-range' },
    `${number(low)} … ${number(high)}`
  );
  const line = draw('polyline', {
    class: 'bottega-curve',
    points: points.map(([step, value]) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
  });
  const dot = draw('circle', { class: 'bottega-dot', r: 3, cx: x(last), cy: y(latest) });
  svg.append(label, range, line, dot);
  const put = ([step, value], words) => {
    dot.setAttribute('cx', x(step));
    dot.setAttribute('cy', y(value));
    label.textContent = words;
  };
  svg.addEventListener('pointermove', event => {
    const at = event.clientX - svg.getBoundingClientRect().left;
    const nearest = points.reduce((best, point) =>
      Math.abs(x(point[0]) - at) < Math.abs(x(best[0]) - at) ? point : best
    );
    put(nearest, `${text(nearest[1])} at ${nearest[0]}`);
  });
  svg.addEventListener('pointerleave', () => put([last, latest], text(latest)));
  return svg;
}

function render({ model, el }) {
  const call = jupyterServer();
  const name = model.get('name');
  let facts = {
    description: model.get('description'),
    courses: model.get('courses'),
    lines: model.get('lines'),
    seen: model.get('seen')
  };
  let heard = Date.now(); // from the kernel
  if (Date.now() - facts.seen * 1000 > SILENCE_MS) {
    heard = 0; // restored from a saved notebook: nobody may be there
  }

  const title = make('strong', {}, name);
  const status = make('span', { class: 'bottega-status' });
  const elapsed = make('span', { class: 'bottega-quiet' });
  const stop = make('button', { type: 'button', class: 'bottega-button' }, 'Stop');
  const failure = make('pre', { class: 'bottega-failure', role: 'alert' });
  const way = make('ol', { class: 'bottega-way', 'aria-label': 'Status' });
  const bar = make('progress', { 'aria-label': 'Progress' });
  const left = make('span', { class: 'bottega-quiet' });
  const progress = make('div', { class: 'bottega-row' }, bar, left);
  const curves = make('div', { class: 'bottega-curves' });
  const log = make('pre', { class: 'bottega-log', tabindex: '0', 'aria-label': 'Last lines of the log' });
  const folded = make('details', {}, make('summary', {}, 'Log'), log);
  const note = make('p', { class: 'bottega-quiet', 'aria-live': 'polite' });
  el.append(
    make(
      'section',
      { class: 'bottega-widget', 'aria-label': `Training job ${name}` },
      make('header', { class: 'bottega-row' }, title, status, elapsed, stop),
      failure,
      way,
      progress,
      curves,
      folded,
      note
    )
  );

  let drawn = '';
  function show() {
    const { description, courses, lines, seen } = facts;
    const state = description.TrainingJobStatus;
    const ended = ENDED.includes(state);
    status.textContent = `${SIGNS[state] || '●'} ${ended ? state : description.SecondaryStatus}`;
    status.dataset.status = state;
    elapsed.textContent = duration((description.TrainingEndTime || seen) - description.CreationTime);
    stop.hidden = ended;
    stop.disabled = state === 'Stopping';
    failure.hidden = !description.FailureReason;
    if (failure.textContent !== (description.FailureReason || '')) {
      failure.textContent = description.FailureReason || '';
    }
    way.replaceChildren(
      ...(description.SecondaryStatusTransitions || []).map(step =>
        make('li', { title: step.StatusMessage || '' }, `${step.Status} `,
          make('span', { class: 'bottega-quiet' },
            step.EndTime ? duration(step.EndTime - step.StartTime) : '…'))
      )
    );
    const far = progressOf(facts);
    progress.hidden = !far || ended;
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
          .map(chart)
          .filter(Boolean)
      );
    }
    folded.hidden = !lines.length;
    const following = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
    log.textContent = lines.join('\n');
    if (following) {
      log.scrollTop = log.scrollHeight;
    }
  }

  function keep() {
    keepInNotebook(model.widget_manager).catch(error =>
      console.warn(`The monitor of ${name} is not kept in the notebook:`, error)
    );
  }
  function fromKernel() {
    const ended = ENDED.includes(facts.description.TrainingJobStatus);
    heard = Date.now();
    facts = {
      description: model.get('description'),
      courses: model.get('courses'),
      lines: model.get('lines'),
      seen: model.get('seen')
    };
    note.textContent = model.get('problem');
    show();
    if (!ended && ENDED.includes(facts.description.TrainingJobStatus)) {
      keep(); // which now leaves it out
    }
  }
  const traits = ['seen', 'problem'];
  traits.forEach(trait => model.on(`change:${trait}`, fromKernel));

  async function withoutKernel() {
    const ended = ENDED.includes(facts.description.TrainingJobStatus);
    if (ended || Date.now() - heard < SILENCE_MS || document.hidden) {
      return;
    }
    if (!call) {
      note.textContent = 'The kernel is silent. Run the cell again to follow the job.';
      return;
    }
    try {
      facts = await ask(call, facts.description);
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
        await describe(call, facts.description);
        await call('sagemaker', 'StopTrainingJob', { TrainingJobName: name });
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
  note.textContent = model.get('problem');
  tick();
  if (!ENDED.includes(facts.description.TrainingJobStatus)) {
    keep();
  }
  return () => {
    gone = true;
    window.clearTimeout(timer);
    traits.forEach(trait => model.off(`change:${trait}`, fromKernel));
  };
}

export default { render };
