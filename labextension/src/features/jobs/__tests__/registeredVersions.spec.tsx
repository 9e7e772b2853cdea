import { act, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../api/request';
import type { IDescribeTrainingJobResponse } from '../../../api/types/training';
import type { Answers } from '../../../testing/fakeClient';
import { screenProps } from '../../../testing/fakeClient';
import type { ShownScreen } from '../../../testing/liveScreen';
import { showScreen } from '../../../testing/liveScreen';
import type { IScreenProps } from '../../../tokens';
import { JobHeader } from '../jobHeader';
import { job, lineage, NOON } from './examples';

function showHeader(
  answers: Answers,
  described: IDescribeTrainingJobResponse = job()
): ShownScreen {
  function Header(props: IScreenProps): JSX.Element {
    return <JobHeader {...props} job={described} now={NOON} tags={[]} />;
  }
  return showScreen(
    Header,
    screenProps(answers, { name: described.TrainingJobName })
  );
}

it('registers the model, and leads to its versions as they come', async () => {
  let versions: string[] = [];
  const { client, container, studio } = showHeader({
    'bottega:DescribeModelLineage': () =>
      lineage(
        { Type: 'Endpoint', Name: 'live' },
        { Type: 'ModelPackage', Name: 'gone/1', Exists: false },
        ...versions.map((name, index) => ({
          Type: 'ModelPackage' as const,
          Name: name,
          Time: index
        }))
      )
  });
  await userEvent.click(screen.getByRole('button', { name: 'Register' }));
  expect(studio.executed).toEqual([
    { command: 'bottega:register-model', args: { job: 'churn-0412' } }
  ]);
  expect(screen.queryByText(/Registered as/)).toBeNull();
  versions = ['Churn/1', 'Churn/2'];
  act(() => client.events.happen({ Kind: 'ModelPackage', Name: 'churn/2' }));
  const newest = await screen.findByRole('button', { name: 'Churn/2' });
  expect(screen.getByRole('status').textContent).toBe(
    'Registered asChurn/2Churn/1'
  );
  expect((await axe(container)).violations).toEqual([]);
  await userEvent.click(newest);
  expect(studio.opened).toEqual(['models/Churn?version=2']);
  versions = Array.from({ length: 7 }, (_, index) => `Churn/${index + 1}`);
  act(() => client.events.happen({ Kind: 'ModelPackage', Name: 'churn/7' }));
  expect(await screen.findByText(/and 2 earlier versions/)).toBeTruthy();
});

it('shows why the model cannot be registered', async () => {
  const { studio } = showHeader({
    'bottega:DescribeModelLineage': () => lineage()
  });
  studio.execute = () =>
    Promise.reject(new BottegaError('AccessDenied', 'You may not.', 403));
  await userEvent.click(screen.getByRole('button', { name: 'Register' }));
  expect((await screen.findByRole('alert')).textContent).toMatch(/You may not/);
});

it('says why the versions cannot be read, and reads them again', async () => {
  let broken = true;
  showHeader({
    'bottega:DescribeModelLineage': () => {
      if (broken) {
        throw new BottegaError('InternalFailure', 'The store is gone.', 500);
      }
      return lineage({ Type: 'ModelPackage', Name: 'Churn/1' });
    }
  });
  expect(await screen.findByText(/The store is gone/)).toBeTruthy();
  broken = false;
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByRole('button', { name: 'Churn/1' })).toBeTruthy();
});

it.each([
  ['runs', job({ TrainingJobStatus: 'InProgress' })],
  ['failed', job({ TrainingJobStatus: 'Failed' })],
  ['ran a notebook', job({ Environment: { BOTTEGA_NOTEBOOK: 'a.ipynb' } })]
])('offers nothing of a job that %s', async (_, described) => {
  const { client } = showHeader({}, described);
  await waitFor(() =>
    expect(screen.getByRole('button', { name: 'Clone' })).toBeTruthy()
  );
  expect(screen.queryByRole('button', { name: 'Register' })).toBeNull();
  expect(client.calls).toEqual([]);
});
