import { act, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../api/request';
import type { IListJobsRequest } from '../../../api/types/training';
import { screenProps } from '../../../testing/fakeClient';
import { giveSizes, showScreen } from '../../../testing/liveScreen';
import type { ShownScreen } from '../../../testing/liveScreen';
import { JobsScreen } from '../jobsScreen';
import { NOON, overview } from './examples';

beforeAll(giveSizes);

/** The list of a studio with so many jobs, the newest of which trains. */
function showJobs(
  count: number,
  parameters: Record<string, string> = {}
): ShownScreen {
  const jobs = Array.from({ length: count }, (_, index) =>
    overview({ JobName: `job-${index}` })
  );
  const [first] = jobs;
  if (first) {
    first.Status = 'InProgress';
    first.SecondaryStatus = 'Training';
    first.StartTime = Date.now() / 1000 - 41;
    delete first.EndTime;
  }
  const list = ({
    Filter: filter = '',
    Offset: offset = 0,
    MaxResults: size = 50
  }: IListJobsRequest) => {
    if (filter.startsWith('colour:')) {
      throw new BottegaError(
        'ValidationException',
        "'colour' is not a key of this list.",
        400
      );
    }
    const kind = /kind:(\w+)/.exec(filter)?.[1];
    const word = filter.replace(/\s*kind:\w+/, '');
    const found = jobs.filter(
      job => job.JobName.includes(word) && (!kind || job.Kind === kind)
    );
    return { Jobs: found.slice(offset, offset + size), Total: found.length };
  };
  return showScreen(
    JobsScreen,
    screenProps({ 'bottega:ListJobs': list }, { parameters })
  );
}

it('shows the jobs, and how many there are', async () => {
  const { container, studio, frame } = showJobs(10_000);
  const row = await screen.findByRole('row', { name: /job-0 / });
  expect(within(row).getByText(/InProgress · Training/)).toBeTruthy();
  expect(within(row).getAllByText(/^\d+:\d\d$/).length).toBe(2);
  expect(within(row).getByText('0.8412')).toBeTruthy();
  expect(
    within(row).getByRole('img', { name: /Course of validation:auc/ })
  ).toBeTruthy();
  expect(screen.getByText('10,000')).toBeTruthy();
  expect(container.querySelectorAll('[data-index]').length).toBeLessThan(60);
  expect(frame.title.label).toBe('Jobs');
  await userEvent.click(row);
  expect(studio.opened).toEqual(['jobs/job-0']);
  expect((await axe(container)).violations).toEqual([]);
});

it('keeps filter, order and columns in its path, and asks the server', async () => {
  const { client, frame } = showJobs(20);
  await screen.findByRole('grid');
  await userEvent.type(screen.getByRole('searchbox'), 'job-1{Enter}');
  await userEvent.click(screen.getByRole('button', { name: 'Name' }));
  await userEvent.click(screen.getByRole('button', { name: /^Name/ }));
  await waitFor(() =>
    expect(client.requests('bottega:ListJobs').pop()).toMatchObject({
      Filter: 'job-1',
      SortBy: 'Name',
      SortOrder: 'Ascending'
    })
  );
  expect(screen.getByText('11')).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Columns' }));
  await userEvent.click(screen.getByRole('checkbox', { name: 'Kind' }));
  expect(screen.queryByRole('columnheader', { name: /Kind/ })).toBeNull();
  await userEvent.keyboard('{Escape}');
  expect(screen.queryByRole('checkbox', { name: 'Kind' })).toBeNull();
  expect(frame.parameters).toEqual({
    filter: 'job-1',
    sort: 'Name',
    order: 'ascending',
    columns: 'kind'
  });
});

it('shows one kind of jobs, and opens each on its own screen', async () => {
  const { client, frame, studio } = showScreen(
    JobsScreen,
    screenProps({
      'bottega:ListJobs': () => ({
        Jobs: [
          overview({ JobName: 'same' }),
          overview({ JobName: 'same', Kind: 'Processing' }),
          overview({ JobName: 'all rows', Kind: 'Transform' })
        ],
        Total: 3
      })
    })
  );
  const rows = await screen.findAllByRole('row', { name: /same|all rows/ });
  expect(rows).toHaveLength(3);
  for (const row of rows) {
    await userEvent.click(row);
  }
  expect(studio.opened).toEqual([
    'jobs/same',
    'processing-jobs/same',
    'transform-jobs/all%20rows'
  ]);
  await userEvent.selectOptions(
    screen.getByRole('combobox', { name: 'Kind of jobs' }),
    'Processing'
  );
  expect(frame.parameters['kind']).toBe('Processing');
  await waitFor(() =>
    expect(client.requests('bottega:ListJobs').pop()).toMatchObject({
      Filter: 'kind:Processing'
    })
  );
});

it('brings a change to the screen', async () => {
  const { client } = showJobs(3);
  await screen.findByRole('row', { name: /job-2 / });
  const before = client.requests('bottega:ListJobs').length;
  act(() => client.events.happen({ Kind: 'Endpoint', Name: 'x' }));
  act(() => client.events.happen({ Kind: 'TrainingJob', Name: 'job-2' }));
  await waitFor(() =>
    expect(client.requests('bottega:ListJobs')).toHaveLength(before + 1)
  );
});

it('says at the box what is wrong with a filter', async () => {
  const { container } = showJobs(3, { filter: 'colour:red' });
  const alert = await screen.findByRole('alert');
  expect(alert.textContent).toBe("'colour' is not a key of this list.");
  expect(screen.getByRole('searchbox').getAttribute('aria-invalid')).toBe(
    'true'
  );
  expect((await axe(container)).violations).toEqual([]);
  await userEvent.click(
    screen.getByRole('button', { name: 'Clear the filter' })
  );
  expect(await screen.findByRole('row', { name: /job-1 / })).toBeTruthy();
});

it('offers to clear a filter that matches nothing', async () => {
  const { frame } = showJobs(3, { filter: 'nosuch' });
  expect(await screen.findByText(/No job matches/)).toBeTruthy();
  await userEvent.click(
    screen.getByRole('button', { name: 'Clear the filter' })
  );
  expect(frame.parameters['filter']).toBe('');
});

it('offers to train where there are no jobs', async () => {
  const { container, studio } = showJobs(0);
  expect(await screen.findByText(/No job has run here/)).toBeTruthy();
  const [, button] = screen.getAllByRole('button', { name: 'Train a model' });
  await userEvent.click(button as HTMLElement);
  expect(studio.executed).toEqual([{ command: 'bottega:train', args: {} }]);
  expect((await axe(container)).violations).toEqual([]);
});

it('says why the jobs cannot be read', async () => {
  let broken = true;
  const { container } = showScreen(
    JobsScreen,
    screenProps({
      'bottega:ListJobs': () => {
        if (broken) {
          throw new BottegaError('InternalFailure', 'The store is gone.', 500);
        }
        return { Jobs: [overview({ CreationTime: NOON })], Total: 1 };
      }
    })
  );
  expect((await screen.findByRole('alert')).textContent).toMatch(
    /The jobs cannot be read.*The store is gone/
  );
  expect((await axe(container)).violations).toEqual([]);
  broken = false;
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByRole('row', { name: /churn-0412/ })).toBeTruthy();
});

it('gives itself as Python', async () => {
  const { studio } = showJobs(1, {
    filter: 'status:Completed',
    kind: 'Training'
  });
  await userEvent.click(
    screen.getByRole('button', { name: 'Open in notebook' })
  );
  expect(studio.notebooks[0]?.code).toContain('StatusEquals="Completed"');
});
