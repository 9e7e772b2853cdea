/** A request to an endpoint by hand. The kernel sends it and writes the snippets. */

const CONTENT_TYPES = ['text/csv', 'application/json', 'application/jsonlines', 'text/libsvm'];
const ACCEPTED = ['*/*', 'text/csv', 'application/json', 'application/jsonlines'];
const SILENCE_MS = 15000;

/** An element with attributes and children; texts are set as texts. */
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function choice(label, values, chosen) {
  const options = [...new Set([chosen, ...values])].map(value => make('option', {}, value));
  const select = make('select', {}, ...options);
  select.value = chosen;
  return [select, make('label', {}, label, select)];
}

function render({ model, el }) {
  const name = model.get('endpoint');
  const columns = model.get('columns');
  const body = make('textarea', { rows: '5', spellcheck: 'false' });
  body.value = model.get('body');
  if (columns.length) {
    body.placeholder = columns.join(',');
    body.title = `Columns: ${columns.join(', ')}`;
  }
  const [kind, kindLabel] = choice('Content type', CONTENT_TYPES, model.get('content_type'));
  const [accept, acceptLabel] = choice('Accept', ACCEPTED, model.get('accept'));
  const send = make('button', { type: 'button', class: 'bottega-button', 'data-main': '' }, 'Send');
  const told = make('span', { class: 'bottega-quiet', role: 'status' });
  const answer = make('pre', { class: 'bottega-log', tabindex: '0', 'aria-label': 'Answer' });
  const code = make('div');
  el.append(
    make(
      'section',
      { class: 'bottega-widget', 'aria-label': `Endpoint ${name}` },
      make('header', { class: 'bottega-row' }, make('strong', {}, name),
        make('span', { class: 'bottega-quiet' }, model.get('status'))),
      make('label', { class: 'bottega-wide' }, 'Request', body),
      make('p', { class: 'bottega-quiet' }, model.get('source')),
      make('div', { class: 'bottega-form' }, kindLabel, acceptLabel),
      make('div', { class: 'bottega-row' }, send, told),
      answer,
      code
    )
  );

  let waiting = 0;
  function showAnswer() {
    window.clearTimeout(waiting);
    send.disabled = false;
    const said = model.get('answer');
    answer.hidden = said.text === undefined;
    if (said.text === undefined) {
      return;
    }
    answer.textContent = said.text;
    answer.classList.toggle('bottega-failure', !said.ok);
    told.textContent = `${said.ok ? '✓' : '✗'} ${said.kind} in ${said.milliseconds} ms`;
  }

  function showCode() {
    const open = new Set([...code.querySelectorAll('details[open]')].map(x => x.dataset.kind));
    code.replaceChildren(
      ...Object.entries(model.get('snippets')).map(([label, text]) => {
        const copy = make('button', { type: 'button', class: 'bottega-button' }, 'Copy');
        copy.setAttribute('aria-label', `Copy the code for ${label}`);
        copy.addEventListener('click', async () => {
          try {
            await navigator.clipboard.writeText(text);
            copy.textContent = 'Copied';
          } catch {
            copy.textContent = 'The browser does not allow it';
          }
        });
        const node = make('details', { 'data-kind': label }, make('summary', {}, label),
          make('pre', { class: 'bottega-log' }, text), copy);
        node.open = open.has(label);
        return node;
      })
    );
  }

  function keep() {
    model.set('body', body.value);
    model.set('content_type', kind.value);
    model.set('accept', accept.value);
    model.save_changes();
  }
  [body, kind, accept].forEach(field => field.addEventListener('change', keep));
  send.addEventListener('click', () => {
    keep();
    send.disabled = true;
    told.textContent = 'Waiting…';
    waiting = window.setTimeout(() => {
      send.disabled = false;
      told.textContent = 'The kernel does not answer: it is busy, or gone. Run the cell again if it is gone.';
    }, SILENCE_MS);
    model.send({ do: 'send' });
  });

  model.on('change:answer', showAnswer);
  model.on('change:snippets', showCode);
  showAnswer();
  showCode();
  return () => {
    window.clearTimeout(waiting);
    model.off('change:answer', showAnswer);
    model.off('change:snippets', showCode);
  };
}

export default { render };
