/** The form of a training job. The fields for hyperparameters follow from the algorithm's schema. */

const OTHER = '';
const SILENCE_MS = 15000;
const FIRST_CHOICE = 'xgboost';

/** An element with attributes and children; texts are set as texts. */
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function freshId() {
  return `bottega-${Math.random().toString(36).slice(2)}`;
}

function labelled(label, field, hint = '') {
  const node = make('label', {}, label, field);
  if (hint) {
    node.append(make('span', { class: 'bottega-quiet' }, hint));
  }
  return node;
}

/** A choice of the notebook's frames, or a path or URI that is typed. */
function dataField(label, required) {
  const select = make('select');
  const place = make('input', { type: 'text', placeholder: 'data.csv or s3://…' });
  place.setAttribute('aria-label', `${label}: path or S3 URI`);
  const node = make('label', {}, label, select, place);
  const changed = () => {
    place.hidden = select.value !== OTHER;
  };
  select.addEventListener('change', changed);
  return {
    node,
    select,
    place,
    fill(frames) {
      const before = select.value;
      const options = frames.map(frame =>
        make('option', { value: frame.name }, `${frame.name} (${frame.rows} rows)`)
      );
      const other = make('option', { value: OTHER }, required ? 'A path or S3 URI' : 'None, a path or S3 URI');
      select.replaceChildren(...(required ? [...options, other] : [other, ...options]));
      if (frames.some(frame => frame.name === before)) {
        select.value = before;
      }
      changed();
    },
    chosen: () =>
      select.value === OTHER
        ? { kind: 'place', value: place.value.trim() }
        : { kind: 'variable', value: select.value }
  };
}

/** A path or URI for a channel beside the data and the validation data. */
function channelField(channel) {
  const field = make('input', { type: 'text', placeholder: 'a path or s3://…' });
  field.required = channel.Required;
  return { name: channel.Name, field, node: labelled(`Channel ${channel.Name}`, field, channel.Description) };
}

/** What a value that may be a number or a word cannot be; empty when it can. */
export function problemOf(parameter, text) {
  const value = text.trim() === '' ? NaN : Number(text);
  const { Minimum: low = -Infinity, Maximum: high = Infinity } = parameter;
  const fits = text === '' || parameter.AlsoAccepts.includes(text) || (
    Number.isFinite(value) &&
    (parameter.Type === 'Continuous' || Number.isInteger(value)) &&
    (parameter.ExclusiveMinimum ? value > low : value >= low) &&
    (parameter.ExclusiveMaximum ? value < high : value <= high));
  return fits ? '' : `${parameter.Name} cannot be ${text}; allowed: ${parameter.Range}.`;
}

/** A text field for a number or one of a few words, which it offers. */
function numberOrWord(parameter) {
  const words = make('datalist', { id: freshId() },
    ...parameter.AlsoAccepts.map(value => make('option', { value })));
  const field = make('input', { type: 'text', placeholder: parameter.Default ?? '', list: words.id });
  field.addEventListener('input', () => field.setCustomValidity(problemOf(parameter, field.value)));
  return { field, words };
}

/** A field for one hyperparameter; empty means the default. */
function hyperparameterField(parameter, preset) {
  const start = preset ?? '';
  const numeric = parameter.Type === 'Integer' || parameter.Type === 'Continuous';
  let field;
  let words;
  if (numeric && parameter.AlsoAccepts) {
    ({ field, words } = numberOrWord(parameter));
  } else if (parameter.Choices && parameter.Type === 'Categorical') {
    const fallback = parameter.Default === undefined ? '' : `default: ${parameter.Default}`;
    field = make('select', {}, make('option', { value: '' }, fallback),
      ...parameter.Choices.map(value => make('option', { value }, value)));
  } else {
    field = make('input', { type: numeric ? 'number' : 'text', placeholder: parameter.Default ?? '' });
    if (numeric) {
      field.step = parameter.Type === 'Integer' ? '1' : 'any';
      if (parameter.Minimum !== undefined) {
        field.min = parameter.Minimum;
      }
      if (parameter.Maximum !== undefined) {
        field.max = parameter.Maximum;
      }
    }
  }
  field.value = start;
  field.required = parameter.Required;
  const choice = field instanceof HTMLSelectElement;
  const node = labelled(parameter.Name, field, choice ? '' : parameter.Range);
  node.title = parameter.Description;
  if (words) {
    node.append(words);
  }
  return { parameter, field, node };
}

function render({ model, el }) {
  const algorithms = model.get('algorithms');
  const algorithm = make('select', {},
    ...algorithms.map(item => make('option', { value: item.Name }, item.DisplayName)));
  const ready = algorithms.filter(item => !item.Missing);
  algorithm.value = (ready.find(item => item.Name === FIRST_CHOICE) ?? ready[0] ?? algorithms[0])?.Name ?? '';
  const description = make('p', { class: 'bottega-quiet' });
  const data = dataField('Data', true);
  const validation = dataField('Validation data', false);
  const target = make('input', { type: 'text' });
  const columns = make('datalist', { id: freshId() });
  target.setAttribute('list', columns.id);
  const targetLabel = labelled('Target column', target);
  const channels = make('div', { class: 'bottega-form' });
  const name = make('input', { type: 'text', placeholder: 'made from the algorithm and the time' });
  const experiment = make('input', { type: 'text' });
  const essential = make('div', { class: 'bottega-form' });
  const further = make('div', { class: 'bottega-form' });
  const more = make('details', {}, make('summary', {}, 'More hyperparameters'), further);
  const launch = make('button', { type: 'submit', class: 'bottega-button', 'data-main': '' }, 'Train');
  const refresh = make('button', { type: 'button', class: 'bottega-button' }, 'Look for variables again');
  const told = make('span', { class: 'bottega-quiet', role: 'status' });
  const problem = make('pre', { class: 'bottega-failure', role: 'alert' });
  const form = make('form', {},
    make('div', { class: 'bottega-form' }, data.node, targetLabel,
      validation.node, labelled('Algorithm', algorithm)),
    columns, description, channels, essential, more,
    make('div', { class: 'bottega-form' }, labelled('Job name', name), labelled('Experiment', experiment)),
    problem,
    make('div', { class: 'bottega-row' }, launch, refresh, told));
  el.append(make('section', { class: 'bottega-widget', 'aria-label': 'Train a model' }, form));

  let fields = [];
  let places = [];
  function showColumns() {
    const frame = model.get('frames').find(item => item.name === data.select.value);
    columns.replaceChildren(...(frame ? frame.columns : []).map(value => make('option', { value })));
  }
  function showFrames() {
    data.fill(model.get('frames'));
    validation.fill(model.get('frames'));
    showColumns();
  }
  /** Hides what has no effect with what is chosen elsewhere. */
  function showUsed() {
    for (const { parameter, node } of fields) {
      const condition = parameter.UsedWhen;
      const other = condition && fields.find(item => item.parameter.Name === condition.Name);
      const value = other ? other.field.value || other.parameter.Default : undefined;
      node.hidden = Boolean(other) && !condition.Values.includes(value);
    }
  }
  function showAlgorithm() {
    const chosen = algorithms.find(item => item.Name === algorithm.value);
    if (!chosen) {
      return;
    }
    description.textContent = [chosen.Description, chosen.Missing].filter(Boolean).join(' ');
    targetLabel.hidden = !(chosen.Supervised && chosen.ReadsTables);
    validation.node.hidden = !chosen.Channels.some(channel => channel.Name === 'validation');
    places = chosen.Channels
      .filter(channel => !['train', 'validation'].includes(channel.Name))
      .map(channelField);
    channels.replaceChildren(...places.map(place => place.node));
    channels.hidden = places.length === 0;
    fields = chosen.HyperParameters.map(parameter =>
      hyperparameterField(parameter, chosen.DefaultHyperParameters[parameter.Name]));
    const isFirst = ({ parameter }) =>
      parameter.Essential || parameter.Required || parameter.Name in chosen.DefaultHyperParameters;
    essential.replaceChildren(...fields.filter(isFirst).map(x => x.node));
    further.replaceChildren(...fields.filter(x => !isFirst(x)).map(x => x.node));
    fields.forEach(item => item.field.addEventListener('change', showUsed));
    showUsed();
    showOutcome();
  }
  const canTrain = () => !algorithms.find(item => item.Name === algorithm.value)?.Missing;
  let waiting = 0;
  function showOutcome() {
    window.clearTimeout(waiting);
    problem.textContent = model.get('problem');
    problem.hidden = !problem.textContent;
    launch.disabled = model.get('busy') || !canTrain();
    told.textContent = model.get('busy') ? 'Sending the data…' : '';
  }
  form.addEventListener('submit', event => {
    event.preventDefault();
    const filled = fields.filter(item => !item.node.hidden && item.field.value !== '');
    launch.disabled = true;
    told.textContent = 'Waiting for the kernel…';
    waiting = window.setTimeout(() => {
      launch.disabled = false;
      told.textContent = 'The kernel does not answer: it is busy, or gone. Run the cell again if it is gone.';
    }, SILENCE_MS);
    model.send({
      do: 'launch',
      wanted: {
        algorithm: algorithm.value,
        data: data.chosen(),
        validation: validation.node.hidden ? null : validation.chosen(),
        channels: Object.fromEntries(places.map(place =>
          [place.name, { kind: 'place', value: place.field.value.trim() }])),
        target: targetLabel.hidden ? '' : target.value.trim(),
        name: name.value.trim(),
        experiment: experiment.value.trim(),
        hyperparameters: Object.fromEntries(
          filled.map(item => [item.parameter.Name, item.field.value]))
      }
    });
  });
  // What is wrong has to be in sight, or the page cannot say what it is.
  form.addEventListener('invalid', event => {
    more.open = more.open || more.contains(event.target);
  }, true);
  refresh.addEventListener('click', () => model.send({ do: 'refresh' }));
  data.select.addEventListener('change', showColumns);
  algorithm.addEventListener('change', showAlgorithm);
  model.on('change:frames', showFrames);
  ['problem', 'busy'].forEach(trait => model.on(`change:${trait}`, showOutcome));
  showFrames();
  showAlgorithm();
  showOutcome();
  return () => {
    window.clearTimeout(waiting);
    model.off('change:frames', showFrames);
    ['problem', 'busy'].forEach(trait => model.off(`change:${trait}`, showOutcome));
  };
}

export default { render };
