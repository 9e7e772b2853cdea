import '../../../testing/canvas';

import { act, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import type { Answers } from '../../../testing/fakeClient';
import { reportOf } from '../panels/report';
import { WranglerView } from '../wranglerView';
import {
  CHAIN,
  flow,
  given,
  panelProps,
  raw,
  readyModel,
  until
} from './fixtures';

Object.defineProperty(globalThis, 'ResizeObserver', {
  configurable: true,
  value: class {
    observe(): void {}
    unobserve(): void {}
    disconnect(): void {}
  }
});

const CATALOGUE: Answers = {
  'bottega:ListTransforms': () => ({ Transforms: [], Analyses: [] }),
  'bottega:SuggestSteps': () => ({ Suggestions: [] })
};

async function show(text: string, answers: Answers = {}) {
  const made = await readyModel(text, { ...CATALOGUE, ...answers });
  const props = panelProps(made);
  const shown = render(<WranglerView {...props} />);
  return { ...made, ...shown, studio: props.studio };
}

it('without data asks where they come from', async () => {
  const { model, container } = await show('');
  expect(screen.getByText('Add data to prepare.')).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'S3' }));
  expect(model.dialog).toEqual({ kind: 'source', origin: 's3' });
  act(() => model.closeDialog());
  expect((await axe(container)).violations).toEqual([]);
});

it('says that a file is no flow', async () => {
  await show('{');
  expect(
    screen.getByText('customers.flow cannot be read as a flow.')
  ).toBeTruthy();
});

it('says how large the table is, and that all is kept', async () => {
  const { container } = await show(CHAIN);
  await screen.findByText('250 rows × 2 · whole data');
  expect(screen.getByText('saved')).toBeTruthy();
  await screen.findByRole('group', { name: 'Graph of the flow' });
  expect((await axe(container)).violations).toEqual([]);
});

it('undoes and redoes by buttons and keys', async () => {
  const { model } = await show(CHAIN);
  const undo = screen.getByRole('button', { name: 'Undo' });
  expect(undo).toHaveProperty('disabled', true);
  await act(() => model.edit({ Kind: 'disable', NodeId: 'a' }));
  await userEvent.click(undo);
  await until(() => model.text === CHAIN);
  act(() => screen.getByRole('tab', { name: 'Data' }).focus());
  await userEvent.keyboard('{Control>}{Shift>}z{/Shift}{/Control}');
  await until(() => model.node('a')?.Disabled === true);
  await userEvent.keyboard('{Control>}z{/Control}');
  await until(() => model.node('a')?.Disabled === false);
});

it('says what could not be saved, and tries again', async () => {
  const { model, store } = await show(CHAIN);
  store.refusal = 'The disk is full.';
  await act(() => model.edit({ Kind: 'disable', NodeId: 'a' }));
  const alert = await screen.findByText(
    'could not be saved: The disk is full.'
  );
  store.refusal = null;
  await userEvent.click(given(alert.querySelector('button')));
  await screen.findByText('saved');
});

it('asks once whether code that came with the flow may run', async () => {
  const { model } = await show(
    flow(
      raw('s', 'SOURCE'),
      raw('x', 'TRANSFORM', ['s'], {
        operator: 'sagemaker.spark.custom_code_0.1'
      })
    )
  );
  expect(screen.getByText(/contains code of its own/)).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Let it run' }));
  await until(() => model.trust === 'given');
  expect(screen.queryByText(/contains code of its own/)).toBeNull();
});

it('moves borders by the arrows', async () => {
  await show(CHAIN);
  const border = screen.getByRole('separator', { name: 'Width of the steps' });
  const before = Number(border.getAttribute('aria-valuenow'));
  act(() => border.focus());
  await userEvent.keyboard('{ArrowLeft}');
  expect(Number(border.getAttribute('aria-valuenow'))).toBe(before + 16);
});

const RUN = {
  ProcessingJobName: 'flow-1',
  ProcessingJobArn: 'arn',
  OutputS3Uri: 's3://b/out/',
  FittedFlowS3Uri: 's3://b/flow'
};

it('counts the issues of the report on its tab', async () => {
  const { model, client } = await show(CHAIN, {
    'bottega:AnalyzeFlow': () => ({
      Title: 'Report',
      Rows: 250,
      Scope: 'whole',
      Sections: [
        {
          Title: 'Summary',
          Issues: [{ Id: 'a', Severity: 'high', Sentence: 'Mostly missing.' }]
        }
      ]
    })
  });
  const tab = await screen.findByRole('tab', { name: /^Insights/ });
  expect(tab.textContent).toBe('Insights');
  await act(() => reportOf(model).run(model, client, 'report', {}));
  expect(tab.textContent).toBe('Insights1');
});

it('trains on the result when the job that prepares it has ended', async () => {
  let status = 'InProgress';
  const { client, studio } = await show(CHAIN, {
    'bottega:RunFlow': () => RUN,
    'sagemaker:DescribeProcessingJob': () =>
      ({ ProcessingJobStatus: status }) as never
  });
  await userEvent.click(screen.getByRole('button', { name: 'Train on this' }));
  await screen.findByText('preparing the data: flow-1');
  expect(client.requests('bottega:RunFlow')[0]).toMatchObject({
    NodeId: 'c',
    OutputName: 'default'
  });
  status = 'Completed';
  act(() => client.events.happen({ Kind: 'ProcessingJob', Name: 'flow-1' }));
  await until(() => studio.executed.length === 1);
  expect(studio.executed).toEqual([
    { command: 'bottega:train', args: { uri: 's3://b/out/part-00000.csv' } }
  ]);
});

it('says why the data could not be prepared', async () => {
  const { studio } = await show(CHAIN, {
    'bottega:RunFlow': () => RUN,
    'sagemaker:DescribeProcessingJob': () =>
      ({
        ProcessingJobStatus: 'Failed',
        FailureReason: 'Row 7 is ragged.'
      }) as never
  });
  await userEvent.click(screen.getByRole('button', { name: 'Train on this' }));
  await screen.findByText('Row 7 is ragged.');
  expect(studio.executed).toEqual([]);
});
