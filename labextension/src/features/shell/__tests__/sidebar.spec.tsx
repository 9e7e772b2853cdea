import { act, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';
import { Widget } from '@lumino/widgets';

import { FakeClient, FakeStudio, trans } from '../../../testing/fakeClient';
import type { ISectionContent } from '../../../tokens';
import { Sidebar } from '../sidebar';

async function shown(
  load: () => Promise<ISectionContent>
): Promise<{ sidebar: Sidebar; studio: FakeStudio; client: FakeClient }> {
  const studio = new FakeStudio();
  const client = new FakeClient();
  studio.addSection({
    id: 'jobs',
    label: 'Jobs',
    rank: 1,
    path: 'jobs',
    empty: 'Nothing was trained yet.',
    concerns: event => event.Kind === 'TrainingJob',
    create: { label: 'Train a model', command: 'bottega:train' },
    load
  });
  const sidebar = new Sidebar(studio, client, trans);
  await act(async () => {
    Widget.attach(sidebar, document.body);
    await sidebar.renderPromise;
  });
  return { sidebar, studio, client };
}

const two: ISectionContent = {
  count: '1 running',
  items: [
    {
      label: 'churn-2',
      path: 'jobs/churn-2',
      status: 'InProgress',
      note: '0:41'
    },
    { label: 'churn-1', path: 'jobs/churn-1', status: 'Failed', note: '0:09' }
  ]
};

afterEach(() => {
  document.body.innerHTML = '';
});

it('shows the newest of a section, and opens them', async () => {
  const { studio } = await shown(async () => two);
  expect(screen.getByText('1 running')).toBeTruthy();
  expect(screen.getByRole('img', { name: 'Failed' })).toBeTruthy();
  await userEvent.click(screen.getByText('churn-1'));
  await userEvent.click(screen.getByRole('button', { name: 'Open all: Jobs' }));
  expect(studio.opened).toEqual(['jobs/churn-1', 'jobs']);
});

it('starts something new', async () => {
  const { studio } = await shown(async () => two);
  await userEvent.click(screen.getByRole('button', { name: 'Train a model' }));
  expect(studio.executed[0]?.command).toBe('bottega:train');
});

it('says what is empty, and what failed', async () => {
  await shown(async () => ({ count: '', items: [] }));
  expect(screen.getByText('Nothing was trained yet.')).toBeTruthy();
  document.body.innerHTML = '';
  await shown(async () => {
    throw new Error('The studio is stopping.');
  });
  expect(screen.getByRole('alert').textContent).toMatch(
    /Jobs cannot be read.*The studio is stopping/
  );
});

it('folds a section', async () => {
  await shown(async () => two);
  const toggle = screen.getByRole('button', { name: /Jobs/, expanded: true });
  await userEvent.click(toggle);
  expect(screen.queryByText('churn-1')).toBeNull();
});

it('has nothing that keeps people out', async () => {
  const { sidebar } = await shown(async () => two);
  expect((await axe(sidebar.node)).violations).toEqual([]);
});
