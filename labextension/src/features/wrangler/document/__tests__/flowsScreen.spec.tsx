import { act, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import type { Contents } from '@jupyterlab/services';
import { axe } from 'jest-axe';

import { screenProps, trans } from '../../../../testing/fakeClient';
import { given, until } from '../../__tests__/fixtures';
import { FlowsScreen } from '../flowsScreen';
import { KnownFlows } from '../knownFlows';
import { dataSection } from '../section';

const there = {
  get: (path: string) => Promise.resolve({ path } as Contents.IModel)
};

it('lists the flows, opens them, and makes the first', async () => {
  const flows = new KnownFlows(there, null);
  const props = screenProps({});
  const opened: string[] = [];
  const { container } = render(
    <FlowsScreen {...props} flows={flows} open={path => opened.push(path)} />
  );
  await screen.findByText('No data has been prepared here yet.');
  await userEvent.click(
    given(screen.getAllByRole('button', { name: 'Prepare data' })[0])
  );
  expect(props.studio.executed).toMatchObject([
    { command: 'bottega:prepare-data' }
  ]);
  await act(() => flows.remember('data/customers.flow', 2));
  await userEvent.click(
    await screen.findByRole('button', { name: 'customers.flow' })
  );
  expect(opened).toEqual(['data/customers.flow']);
  expect((await axe(container)).violations).toEqual([]);
});

it('the section has the five that were worked on last', async () => {
  const flows = new KnownFlows(there, null);
  const opened: string[] = [];
  const section = dataSection(flows, path => opened.push(path), trans);
  let changes = 0;
  section.changed?.connect(() => (changes += 1));
  for (let number = 1; number <= 7; number += 1) {
    await flows.remember(`${number}.flow`, number);
  }
  await until(() => changes === 7);
  const content = await section.load();
  expect(content.count).toBe('7');
  expect(content.items.map(item => [item.label, item.note])).toEqual([
    ['7.flow', '7 sources'],
    ['6.flow', '6 sources'],
    ['5.flow', '5 sources'],
    ['4.flow', '4 sources'],
    ['3.flow', '3 sources']
  ]);
  content.items[0]?.open?.();
  expect(opened).toEqual(['7.flow']);
});
