/**
 * What the monitors share. A page loads nothing beside a widget's one module, so this stands before
 * the script of each monitor in it. What a monitor shows comes from the kernel by the model's traits;
 * where the kernel is gone, from the Jupyter server that the page was loaded from.
 */

const SIGNS = { Completed: '✓', Failed: '✗', Stopped: '■', Stopping: '■' };
const ENDED = ['Completed', 'Failed', 'Stopped'];
const SILENCE_MS = 6000;
const POLL_MS = 2000;
const WIDGET_STATE = 'application/vnd.jupyter.widget-state+json';
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

/** Refuses what the Jupyter server's studio, which need not be the kernel's, knows of another job. */
function sameJob(described, known) {
  if (described.CreationTime !== known.CreationTime) {
    throw new Error('it works on another home, where this name is another job');
  }
  return described;
}

/**
 * Keeps in the notebook, in Jupyter's own form, what a page needs to show the monitors of a class
 * again when the kernel is gone; of those whose job has ended, nothing is kept. JupyterLab would do it
 * only for those who switched on that all widgets are saved.
 */
async function keepInNotebook(manager, { widget, isRunning }) {
  const notebook = manager?.context?.model;
  if (!notebook?.setMetadata || !manager.get_state) {
    return; // another page than JupyterLab's and Notebook's
  }
  const all = (await manager.get_state()).state;
  const kept = { ...notebook.getMetadata('widgets')?.[WIDGET_STATE]?.state };
  for (const id of withSurroundings(kept, widget, () => true)) {
    delete kept[id];
  }
  for (const id of withSurroundings(all, widget, item => isRunning(item.state))) {
    kept[id] = all[id];
  }
  if (Object.keys(kept).length) {
    const value = { version_major: 2, version_minor: 0, state: kept };
    notebook.setMetadata('widgets', { [WIDGET_STATE]: value });
  } else {
    notebook.deleteMetadata('widgets');
  }
}

/** The ids of chosen monitors in a saved state, of the boxes they are in, and of all their layouts. */
function withSurroundings(state, widget, chosen) {
  const monitors = Object.keys(state).filter(
    id => state[id].state._anywidget_id === widget && chosen(state[id])
  );
  const named = new Set(monitors.map(id => `IPY_MODEL_${id}`));
  const boxes = Object.keys(state).filter(id => state[id].state.children?.some(x => named.has(x)));
  const shown = [...monitors, ...boxes];
  const layouts = shown.map(id => String(state[id].state.layout).replace('IPY_MODEL_', ''));
  return [...shown, ...layouts.filter(id => id in state)];
}

/** The ground of a small chart and where its values stand: room for two lines of text above them. */
function plot(width, height, values, label) {
  const pad = 8;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const svg = draw('svg', {
    role: 'img',
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    'aria-label': label
  });
  const title = draw('text', { x: pad, y: 14, class: 'bottega-metric' });
  const range = `${number(low)} … ${number(high)}`;
  svg.append(title, draw('text', { x: pad, y: 27, class: 'bottega-range' }, range));
  return {
    svg,
    title,
    x: share => pad + share * (width - 2 * pad),
    y: value => height - pad - (high > low ? (value - low) / (high - low) : 0.5) * (height - 40),
    /** How far along the axis the pointer is; 0 to 1 within the chart. */
    shareAt: event => (event.clientX - svg.getBoundingClientRect().left - pad) / (width - 2 * pad)
  };
}

/** A line through points on the page. */
function line(points) {
  return draw('polyline', {
    class: 'bottega-curve',
    points: points.map(point => point.map(at => at.toFixed(1)).join(',')).join(' ')
  });
}

/** One course of values over steps as a small chart, with the value under the pointer. */
function courseChart(course) {
  const points = course.Steps.map((step, index) => [step, course.Values[index]]).filter(
    ([, value]) => Number.isFinite(value)
  );
  if (!points.length) {
    return null;
  }
  const values = points.map(point => point[1]);
  const [[first], [last, latest]] = [points[0], points[points.length - 1]];
  const { svg, title, x, y, shareAt } = plot(
    260,
    110,
    values,
    `${course.Name}, ${points.length} values from ${number(values[0])} to ${number(latest)}`
  );
  const shareOf = step => (step - first) / (last - first || 1);
  const text = value => `${course.Name}: ${number(value)}`;
  const dot = draw('circle', { class: 'bottega-dot', r: 3 });
  svg.append(line(points.map(([step, value]) => [x(shareOf(step)), y(value)])), dot);
  const put = ([step, value], words) => {
    dot.setAttribute('cx', x(shareOf(step)));
    dot.setAttribute('cy', y(value));
    title.textContent = words;
  };
  const rest = () => put([last, latest], text(latest));
  rest();
  svg.addEventListener('pointermove', event => {
    const at = shareAt(event);
    const nearest = points.reduce((best, point) =>
      Math.abs(shareOf(point[0]) - at) < Math.abs(shareOf(best[0]) - at) ? point : best
    );
    put(nearest, `${text(nearest[1])} at ${nearest[0]}`);
  });
  svg.addEventListener('pointerleave', rest);
  return svg;
}

/**
 * The module of a monitor.
 *
 * @param about.widget The Python class, as anywidget names it.
 * @param about.kind What is followed, in words.
 * @param about.traits The model's traits that, with `seen`, are the facts.
 * @param about.isRunning Whether facts, which a saved notebook may lack, may still change: the job runs,
 *   or what looks at it does.
 * @param about.headOf What the head shows of facts: `state`, `words`, `from`, `to` (seconds; `to` is
 *   undefined while it runs) and `failure`.
 * @param about.describe Asks the Jupyter server whether it knows the job of these facts.
 * @param about.ask Asks the Jupyter server for the same facts that the kernel sends.
 * @param about.stop Asks the Jupyter server to stop the job with a name.
 * @param about.body Makes what stands below the head: its `nodes`, and `show(facts)`, which answers
 *   what the last line is to say where it has something to say.
 */
function monitor(about) {
  return { render: context => follow(context, about) };
}

function follow({ model, el }, about) {
  const call = jupyterServer();
  const name = model.get('name');
  const fromModel = () =>
    Object.fromEntries([...about.traits, 'seen'].map(trait => [trait, model.get(trait)]));
  let facts = fromModel();
  let heard = Date.now(); // from the kernel
  if (Date.now() - facts.seen * 1000 > SILENCE_MS) {
    heard = 0; // restored from a saved notebook: nobody may be there
  }

  const status = make('span', { class: 'bottega-status' });
  const elapsed = make('span', { class: 'bottega-quiet' });
  const stop = make('button', { type: 'button', class: 'bottega-button' }, 'Stop');
  const failure = make('pre', { class: 'bottega-failure', role: 'alert' });
  const note = make('p', { class: 'bottega-quiet', 'aria-live': 'polite' });
  const body = about.body();
  el.append(
    make(
      'section',
      { class: 'bottega-widget', 'aria-label': `${about.kind} ${name}` },
      make('header', { class: 'bottega-row' }, make('strong', {}, name), status, elapsed, stop),
      failure,
      ...body.nodes,
      note
    )
  );

  function show(said) {
    const { state, words, from, to, failure: reason = '' } = about.headOf(facts);
    status.textContent = `${SIGNS[state] || '●'} ${words}`;
    status.dataset.status = state;
    elapsed.textContent = duration((to || facts.seen) - from);
    stop.hidden = !about.isRunning(facts) || ENDED.includes(state);
    stop.disabled = state === 'Stopping';
    failure.hidden = !reason;
    if (failure.textContent !== reason) {
      failure.textContent = reason;
    }
    note.textContent = body.show(facts) || said;
  }

  function keep() {
    keepInNotebook(model.widget_manager, about).catch(error =>
      console.warn(`The monitor of ${name} is not kept in the notebook:`, error)
    );
  }
  function fromKernel() {
    const ran = about.isRunning(facts);
    heard = Date.now();
    facts = fromModel();
    show(model.get('problem'));
    if (ran && !about.isRunning(facts)) {
      keep(); // which now leaves it out
    }
  }
  const traits = ['seen', 'problem'];
  traits.forEach(trait => model.on(`change:${trait}`, fromKernel));

  async function withoutKernel() {
    if (!about.isRunning(facts) || Date.now() - heard < SILENCE_MS || document.hidden) {
      return;
    }
    if (!call) {
      note.textContent = 'The kernel is silent. Run the cell again to follow the job.';
      return;
    }
    try {
      facts = await about.ask(call, facts);
      show('The kernel is silent; this comes from the Jupyter server.');
    } catch (error) {
      note.textContent = `The kernel is silent, and the Jupyter server says: ${error.message}`;
    }
  }

  stop.addEventListener('click', async () => {
    stop.disabled = true;
    // The kernel would listen only when the cell has ended; the Jupyter server does at once.
    if (call) {
      try {
        await about.describe(call, facts);
        await about.stop(call, name);
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
  show(model.get('problem'));
  tick();
  if (about.isRunning(facts)) {
    keep();
  }
  return () => {
    gone = true;
    window.clearTimeout(timer);
    traits.forEach(trait => model.off(`change:${trait}`, fromKernel));
  };
}

