import { act, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import type { Answers } from '../../../../testing/fakeClient';
import {
  CHAIN,
  given,
  panelProps,
  parsed,
  readyModel,
  stateOf,
  until
} from '../../__tests__/fixtures';
import { StepList } from '../stepList';

async function show(answers: Answers = {}) {
  const made = await readyModel(CHAIN, answers);
  const shown = render(<StepList {...panelProps(made)} />);
  return { ...made, ...shown };
}

const step = (id: string): HTMLElement =>
  screen.getByRole('button', { name: new RegExp(`^\\d+ ?Title of ${id}`) });

async function choose(id: string, act: string): Promise<void> {
  await userEvent.click(
    screen.getByRole('button', {
      name: new RegExp(`^Actions of step \\d, Title of ${id}`)
    })
  );
  await userEvent.click(
    within(screen.getByRole('menu')).getByRole('menuitem', { name: act })
  );
}

it('lists the steps with what they do; the selected one is marked', async () => {
  const { container } = await show();
  const list = screen.getByRole('list', { name: 'Steps' });
  expect(within(list).getAllByRole('listitem')).toHaveLength(4);
  expect(step('c').getAttribute('aria-current')).toBe('step');
  expect(step('a').textContent).toBe('2Title of aSummary of a');
  expect((await axe(container)).violations).toEqual([]);
});

it('shows the table behind the step that is chosen, by mouse and keys', async () => {
  const { model } = await show();
  await userEvent.click(step('a'));
  expect(model.selected?.nodeId).toBe('a');
  await userEvent.keyboard('{ArrowDown}');
  expect(model.selected?.nodeId).toBe('b');
  expect(document.activeElement).toBe(step('b'));
});

it('switches steps off and on', async () => {
  const { model } = await show();
  await choose('b', 'Switch off');
  await until(() => model.node('b')?.Disabled === true);
  expect(step('b').textContent).toContain('off');
  await choose('b', 'Switch on');
  await until(() => model.node('b')?.Disabled === false);
});

it('deletes a step, by its menu or the key', async () => {
  const { model } = await show();
  await choose('b', 'Delete');
  await until(() => model.nodes.length === 3);
  act(() => step('c').focus());
  await userEvent.keyboard('{Delete}');
  await until(() => model.nodes.length === 2);
});

it('moves a step, by its menu or the keys, where it can stand', async () => {
  const { client } = await show();
  const moves = () =>
    client
      .requests('bottega:EditFlow')
      .map(({ Edit }) => [Edit.Kind, Edit.NodeId, Edit.OtherNodeId]);
  await choose('b', 'Move up');
  await until(() => moves().length === 1);
  act(() => step('b').focus());
  await userEvent.keyboard('{Alt>}{ArrowDown}{/Alt}');
  await until(() => moves().length === 2);
  expect(moves()).toEqual([
    ['move', 'b', 's'],
    ['move', 'b', 'c']
  ]);
  await userEvent.click(
    screen.getByRole('button', { name: 'Actions of step 2, Title of a' })
  );
  const up = screen.getByRole('menuitem', { name: 'Move up' });
  expect(up.getAttribute('aria-disabled')).toBe('true');
  await userEvent.click(up);
  expect(moves()).toHaveLength(2);
});

it('moves a step that is dragged', async () => {
  const { client, container } = await show();
  const card = (id: string): Element =>
    given(container.querySelector(`[data-node="${id}"]`));
  // The shims' own event knows no type.
  const drag = (type: string, id: string): void => {
    const event = new Event(type, { bubbles: true, cancelable: true });
    act(() => {
      card(id).dispatchEvent(
        Object.assign(event, { dataTransfer: new DataTransfer(), clientY: 1 })
      );
    });
  };
  drag('dragstart', 'c');
  // jsdom has no sizes: all of a card is its lower half.
  drag('dragover', 's');
  expect(card('s').className).toContain('jp-mod-behind');
  drag('drop', 's');
  await until(() => client.requests('bottega:EditFlow').length === 1);
  expect(client.requests('bottega:EditFlow')[0]?.Edit).toEqual({
    Kind: 'move',
    NodeId: 'c',
    OtherNodeId: 's'
  });
});

it('shows an error at its step', async () => {
  await show({
    'bottega:CheckFlow': ({ Flow }) => ({
      Nodes: parsed(Flow).map(node =>
        stateOf(node, node.node_id === 'b' ? { Error: 'No column "q".' } : {})
      ),
      NeedsTrust: false,
      Ends: [],
      Notes: []
    })
  });
  expect(screen.getByRole('alert').textContent).toContain('No column "q".');
});

it('leads to the code, and closes its menu with Escape', async () => {
  const { model } = await show();
  await choose('a', 'Show code');
  expect(model.tab).toBe('code');
  expect(model.selected?.nodeId).toBe('a');
  await userEvent.click(
    screen.getByRole('button', { name: 'Actions of step 2, Title of a' })
  );
  await userEvent.keyboard('{ArrowDown}{Escape}');
  expect(screen.queryByRole('menu')).toBeNull();
});

it('a source is changed in its dialog', async () => {
  const { model } = await show();
  await choose('s', 'Change how it is read');
  expect(model.dialog).toEqual({ kind: 'source', nodeId: 's' });
});
