import { Dialog } from '@jupyterlab/apputils';
import {
  acceptDialog,
  dismissDialog,
  waitForDialog
} from '@jupyterlab/testing';
import { act, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../api/request';
import type { Answers } from '../../../testing/fakeClient';
import { screenProps } from '../../../testing/fakeClient';
import type { ShownScreen } from '../../../testing/liveScreen';
import { giveSizes, showScreen } from '../../../testing/liveScreen';
import { GroupScreen } from '../group';
import { answers, ARN, described, node, version } from './fixtures';

// The graph's library measures what jsdom does not lay out.
jest.mock('../../../shared/graph/layeredGraph', () => ({
  LayeredGraph: (props: { label: string }) => (
    <div role="group" aria-label={props.label} />
  )
}));

beforeAll(giveSizes);
afterEach(() => {
  Dialog.flush();
});

function showGroup(
  more: Answers,
  parameters: Record<string, string> = {}
): ShownScreen {
  return showScreen(
    GroupScreen,
    screenProps({ ...answers, ...more }, { name: 'churn', parameters })
  );
}

const missing = (what: string): never => {
  throw new BottegaError('ValidationException', `${what} does not exist.`, 400);
};

it('deletes a version, after saying what goes and what stays', async () => {
  let deleted = false;
  const { client, frame } = showGroup(
    {
      'bottega:ListModelVersions': () => ({
        Versions: [...(deleted ? [] : [version(2)]), version(1)],
        Total: deleted ? 1 : 2
      }),
      'sagemaker:DescribeModelPackage': ({ ModelPackageName: name }) =>
        described({
          ModelPackageName: name,
          ModelPackageArn: `${ARN}/${name.split('/')[1]}`
        }),
      'bottega:DescribeModelLineage': () => ({
        Nodes: [
          node({ Id: 'v', Type: 'ModelPackage', Name: 'churn/2' }),
          node({ Id: 'm', Type: 'Model', Name: 'model' }),
          node({ Id: 'e', Type: 'Endpoint', Name: 'live' }),
          node({ Id: 'g', Type: 'Endpoint', Name: 'gone', Exists: false }),
          node({ Id: 'o', Type: 'Endpoint', Name: 'others' })
        ],
        Edges: [
          { Source: 'v', Target: 'm' },
          { Source: 'm', Target: 'e' },
          { Source: 'm', Target: 'g' },
          { Source: 'o', Target: 'v' }
        ],
        Focus: 'v',
        Truncated: false
      }),
      'sagemaker:DeleteModelPackage': () => {
        deleted = true;
        return {};
      }
    },
    { version: '2' }
  );
  const button = await screen.findByRole('button', {
    name: 'Delete version 2'
  });
  await userEvent.click(button);
  await waitForDialog();
  const text = document.querySelector('.jp-Dialog')?.textContent;
  expect(text).toContain('Delete the version churn/2?');
  expect(text).toContain('These endpoints serve it, and go on: live.');
  expect(text).toContain('the model data stay');
  await dismissDialog();
  expect(client.requests('sagemaker:DeleteModelPackage')).toEqual([]);
  await userEvent.click(button);
  await acceptDialog();
  await waitFor(() =>
    expect(client.requests('sagemaker:DeleteModelPackage')).toEqual([
      { ModelPackageName: `${ARN}/2` }
    ])
  );
  await waitFor(() => expect(frame.parameters['version']).toBe(''));
  act(() => client.events.happen({ Kind: 'ModelPackage', Name: 'churn/2' }));
  expect(
    await screen.findByRole('heading', { name: 'Version 1' })
  ).toBeTruthy();
});

it('does not say that nothing serves a version when its lineage was cut off', async () => {
  showGroup({
    'bottega:DescribeModelLineage': () => ({
      Nodes: [node({ Id: 'v', Type: 'ModelPackage', Name: 'churn/2' })],
      Edges: [],
      Focus: 'v',
      Truncated: true
    })
  });
  await userEvent.click(
    await screen.findByRole('button', { name: 'Delete version 2' })
  );
  await waitForDialog();
  const text = document.querySelector('.jp-Dialog')?.textContent;
  expect(text).toContain('too large to say whether an endpoint serves it');
  expect(text).not.toContain('No endpoint serves it');
  await dismissDialog();
});

it('says why a version cannot be deleted', async () => {
  showGroup({
    'sagemaker:DeleteModelPackage': () => {
      throw new BottegaError('AccessDenied', 'Only its owner may.', 403);
    }
  });
  await userEvent.click(
    await screen.findByRole('button', { name: 'Delete version 2' })
  );
  await acceptDialog();
  expect(await screen.findByText('Only its owner may.')).toBeTruthy();
  await acceptDialog();
});

it('leads to the newest from a version that was deleted', async () => {
  let deleted = false;
  const { client, container, frame } = showGroup(
    {
      'sagemaker:DescribeModelPackage': ({ ModelPackageName: name }) =>
        deleted ? missing(name) : described()
    },
    { version: '2' }
  );
  await screen.findByRole('heading', { name: 'Version 2' });
  deleted = true;
  act(() => client.events.happen({ Kind: 'ModelPackage', Name: 'churn/2' }));
  expect(await screen.findByText('Version 2 was deleted.')).toBeTruthy();
  expect((await axe(container)).violations).toEqual([]);
  await userEvent.click(
    screen.getByRole('button', { name: 'Show the newest version' })
  );
  expect(frame.parameters['version']).toBe('');
});

it('says that a version was never there, or why it cannot be read', async () => {
  showGroup(
    { 'sagemaker:DescribeModelPackage': () => missing('churn/9') },
    { version: '9' }
  );
  expect(await screen.findByText('There is no version 9.')).toBeTruthy();
  showGroup(
    {
      'sagemaker:DescribeModelPackage': () => {
        throw new BottegaError('InternalFailure', 'The store is gone.', 500);
      }
    },
    { version: '8' }
  );
  expect(await screen.findByText('The store is gone.')).toBeTruthy();
});

it('deletes a group that is empty, and leaves its screen', async () => {
  let refused = true;
  const { client, container, frame, studio } = showGroup({
    'bottega:ListModelVersions': () => ({ Versions: [], Total: 0 }),
    'sagemaker:DeleteModelPackageGroup': () => {
      if (refused) {
        throw new BottegaError('ConflictException', 'It has 1 version.', 400);
      }
      return {};
    }
  });
  expect(await screen.findByText(/The group has no version/)).toBeTruthy();
  expect((await axe(container)).violations).toEqual([]);
  const button = screen.getByRole<HTMLButtonElement>('button', {
    name: 'Delete group'
  });
  expect(button.disabled).toBe(false);
  await userEvent.click(button);
  await acceptDialog();
  expect(await screen.findByText('It has 1 version.')).toBeTruthy();
  await acceptDialog();
  expect(frame.closed).toBe(false);
  refused = false;
  await userEvent.click(button);
  await acceptDialog();
  await waitFor(() => expect(frame.closed).toBe(true));
  expect(studio.opened).toEqual(['models']);
  expect(client.requests('sagemaker:DeleteModelPackageGroup')).toHaveLength(2);
});
