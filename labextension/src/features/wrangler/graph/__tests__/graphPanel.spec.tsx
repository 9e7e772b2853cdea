import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import type { Answers } from '../../../../testing/fakeClient';
import {
  CHAIN,
  flow,
  panelProps,
  parsed,
  raw,
  readyModel,
  stateOf,
  until
} from '../../__tests__/fixtures';
import { GraphPanel, viewportOf } from '../graphPanel';

Object.defineProperty(globalThis, 'ResizeObserver', {
  configurable: true,
  value: class {
    observe(): void {}
    unobserve(): void {}
    disconnect(): void {}
  }
});

async function show(text: string, answers: Answers = {}) {
  const made = await readyModel(text, answers);
  const shown = render(<GraphPanel {...panelProps(made)} />);
  return { ...made, ...shown };
}

it('shows the flow, and the table of the node that is chosen', async () => {
  const { model, container } = await show(CHAIN);
  const source = await screen.findByRole('button', {
    name: 'Title of s',
    hidden: true
  });
  const run = screen.getByRole('button', { name: '3 steps', hidden: true });
  expect(run.getAttribute('aria-pressed')).toBe('true');
  await userEvent.click(source);
  expect(model.selected?.nodeId).toBe('s');
  await until(() => source.getAttribute('aria-pressed') === 'true');
  expect((await axe(container)).violations).toEqual([]);
});

it('opens folded steps, and folds them again', async () => {
  await show(CHAIN);
  await userEvent.click(
    await screen.findByRole('button', {
      name: 'Show the steps of 3 steps',
      hidden: true
    })
  );
  await screen.findByRole('button', { name: 'Title of b', hidden: true });
  await userEvent.click(
    screen.getByRole('button', { name: 'Fold the steps', hidden: true })
  );
  await screen.findByRole('button', { name: '3 steps', hidden: true });
});

it('marks errors in words, too', async () => {
  await show(CHAIN, {
    'bottega:CheckFlow': ({ Flow }) => ({
      Nodes: parsed(Flow).map(node =>
        stateOf(node, node.node_id === 'b' ? { Error: 'No column "q".' } : {})
      ),
      NeedsTrust: false,
      Ends: [],
      Notes: []
    })
  });
  await screen.findByRole('button', {
    name: '3 steps Error: No column "q".',
    hidden: true
  });
});

it('asks for dialogs', async () => {
  const { model } = await show(CHAIN);
  await userEvent.click(screen.getByRole('button', { name: 'Add data' }));
  expect(model.dialog).toEqual({ kind: 'source' });
  await userEvent.click(screen.getByRole('button', { name: 'Join' }));
  expect(model.dialog).toEqual({
    kind: 'join',
    left: { nodeId: 'c', outputName: 'default' }
  });
  await userEvent.click(screen.getByRole('button', { name: 'Concatenate' }));
  expect(model.dialog?.kind).toBe('concatenate');
});

it('takes a destination out of the flow', async () => {
  const { model } = await show(
    flow(raw('s', 'SOURCE'), raw('d', 'DESTINATION', ['s']))
  );
  await userEvent.click(
    await screen.findByRole('button', {
      name: 'Delete Title of d',
      hidden: true
    })
  );
  await until(() => model.nodes.length === 1);
});

it('says whether the steps fit in front of a model', async () => {
  await show(CHAIN);
  expect(
    screen.getByText('Fits in front of a model in its endpoint.')
  ).toBeTruthy();
});

it('names the step that does not', async () => {
  await show(CHAIN, {
    'bottega:CheckFlow': ({ Flow }) => ({
      Nodes: parsed(Flow).map(node =>
        stateOf(node, { Serving: node.node_id === 'a' ? 'refuse' : 'apply' })
      ),
      NeedsTrust: false,
      Ends: [],
      Notes: []
    })
  });
  expect(screen.getByText(/“Title of a” needs more than one row/)).toBeTruthy();
});

it('begins at the top, as large as the width allows', () => {
  expect(viewportOf([{ x: 0, y: 0 }], 224)).toEqual({ x: 44, y: 14, zoom: 1 });
  const wide = viewportOf(
    [
      { x: 0, y: 0 },
      { x: 166, y: 50 }
    ],
    224
  );
  expect(wide.zoom).toBeCloseTo(196 / 302);
  expect(
    viewportOf(
      [
        { x: 0, y: 0 },
        { x: 5000, y: 0 }
      ],
      224
    ).zoom
  ).toBe(0.5);
});

it('draws edges although nothing has been measured', async () => {
  // The observer above never answers, as where one change follows the other too soon.
  const { container } = await show(CHAIN);
  await until(() => container.querySelector('.react-flow__edge') !== null);
});
