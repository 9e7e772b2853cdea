import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../api/request';
import type { IExplainJobFailureResponse } from '../../../api/types/failures';
import type { Answers } from '../../../testing/fakeClient';
import { screenProps } from '../../../testing/fakeClient';
import { explained, FAILED_AT } from '../../../testing/failureExamples';
import { giveSizes, showScreen } from '../../../testing/liveScreen';
import type { IScreenProps } from '../../../tokens';
import type { ILogPlace } from '../failureAdvice';
import { hostOf } from '../failureAdvice';
import { FailureCard } from '../failureCard';
import { causeName } from '../failureNames';
import { logParameters, logPlace } from '../logPlace';

beforeAll(giveSizes);

const REASON =
  'AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "KeyError: \'Churn\'"\nCommand "x"';

function showCard(
  answers: Answers,
  reason = REASON,
  kind: 'Training' | 'Processing' = 'Training'
) {
  const places: Array<ILogPlace | null> = [];
  const Screen = (props: IScreenProps): JSX.Element => (
    <FailureCard
      {...props}
      kind={kind}
      job="churn-0412"
      reason={reason}
      onLog={place => places.push(place)}
    >
      <button type="button">Clone and change</button>
    </FailureCard>
  );
  const shown = showScreen(
    Screen,
    screenProps(answers, { name: 'churn-0412' })
  );
  return { ...shown, places };
}

const card = (): HTMLElement =>
  screen.getByRole('region', { name: 'Why the job failed' });

it('says the cause, what to do, and where it was found', async () => {
  const { container, places, studio } = showCard({
    'bottega:ExplainJobFailure': () => explained()
  });
  expect((await screen.findByText('Missing label column')).dataset.cause).toBe(
    'LabelColumnMissing'
  );
  expect(screen.getByRole('alert').textContent).toBe(
    "The data have no label column 'Churn'. Did you mean 'churn'?"
  );
  const steps = within(card()).getAllByRole('listitem');
  expect(steps.map(step => step.querySelector('p')?.textContent)).toEqual([
    'Use the name that the data have.',
    'See the names as pandas reads them.'
  ]);
  expect(screen.getByLabelText('Code of step 1').textContent).toBe(
    "target = 'churn'"
  );
  expect(screen.queryByText('likely')).toBeNull();
  expect(screen.getByText('line 7 of algo-1')).toBeTruthy();
  await userEvent.click(
    screen.getByRole('button', { name: "KeyError: 'Churn'" })
  );
  await userEvent.click(
    screen.getByRole('button', { name: 'Open the log at this line' })
  );
  const place = { stream: 'churn-0412/algo-1-1', line: 6 };
  expect(places).toEqual([place, place]);
  await userEvent.click(screen.getByText('Traceback'));
  expect(screen.getByLabelText('Traceback').textContent).toBe(
    explained().Traceback.Lines.join('\n')
  );
  expect((await axe(container)).violations).toEqual([]);
  await userEvent.click(screen.getByRole('button', { name: 'Replay' }));
  expect(studio.executed).toEqual([
    { command: 'bottega:replay-job', args: { name: 'churn-0412' } }
  ]);
});

it('can be gone through by keyboard alone', async () => {
  const { places } = showCard({
    'bottega:ExplainJobFailure': () => explained()
  });
  const evidence = await screen.findByRole('button', {
    name: "KeyError: 'Churn'"
  });
  await userEvent.tab();
  expect(document.activeElement).toBe(evidence);
  await userEvent.keyboard('{Enter}');
  expect(places).toHaveLength(1);
});

it('shows the reason until the cause is known', async () => {
  let answer: (value: IExplainJobFailureResponse) => void = () => undefined;
  showCard({
    'bottega:ExplainJobFailure': () =>
      new Promise(resolve => {
        answer = resolve;
      })
  });
  expect(screen.getByRole('alert').textContent).toBe("KeyError: 'Churn'");
  expect(screen.getByLabelText('Loading')).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Open the log' })).toBeTruthy();
  answer(explained());
  expect(await screen.findByText('Missing label column')).toBeTruthy();
  expect(screen.queryByLabelText('Loading')).toBeNull();
});

it('keeps to the reason where the cause cannot be told, and tries again', async () => {
  let broken = true;
  const { container } = showCard({
    'bottega:ExplainJobFailure': () => {
      if (broken) {
        throw new BottegaError('InternalFailure', 'The store is gone.', 500);
      }
      return explained();
    }
  });
  expect(
    (await screen.findByText(/What is behind it cannot be told/)).textContent
  ).toMatch(/The store is gone/);
  expect(screen.getByRole('alert').textContent).toBe("KeyError: 'Churn'");
  expect((await axe(container)).violations).toEqual([]);
  broken = false;
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByText('Missing label column')).toBeTruthy();
});

it('says honestly that a cause is not known, with the traceback first', async () => {
  showCard({
    'bottega:ExplainJobFailure': () =>
      explained({
        Known: false,
        ExceptionType: 'my.module.BoatError',
        ExceptionMessage: 'the boat is full',
        Cause: {
          Code: 'Unknown',
          Sentence: 'What is behind it is not known here.',
          Confidence: 'likely',
          Advice: [{ Text: 'Read the traceback.' }],
          Evidence: { Text: 'BoatError: the boat is full' }
        }
      })
  });
  expect(await screen.findByText('Unknown cause')).toBeTruthy();
  expect(screen.getByRole('alert').textContent).toBe(
    'BoatError: the boat is full'
  );
  expect(screen.getByText(/is not known here/)).toBeTruthy();
  expect(screen.queryByText('likely')).toBeNull();
  // It is not folded away.
  expect(screen.getByLabelText('Traceback').closest('details')).toBeNull();
});

it('shows the last lines first where there is no traceback either', async () => {
  showCard({
    'bottega:ExplainJobFailure': () =>
      explained({
        Known: false,
        ExceptionType: undefined as never,
        ExceptionMessage: undefined as never,
        Traceback: { Lines: [] },
        Cause: {
          Code: 'Unknown',
          Sentence: 'The program ended with exit code 3.',
          Confidence: 'likely',
          Advice: [{ Text: 'Read the last lines.' }]
        }
      })
  });
  await screen.findByText('Unknown cause');
  expect(screen.getByLabelText('Last lines').closest('details')).toBeNull();
  expect(screen.queryByLabelText('Traceback')).toBeNull();
});

it('says what is only likely, and of which job', async () => {
  const answer = explained({ JobName: 'search-001' });
  showCard({
    'bottega:ExplainJobFailure': () => ({
      ...answer,
      Replayable: false,
      Cause: {
        ...answer.Cause,
        Confidence: 'likely',
        Evidence: { Text: 'exit code: 137' }
      }
    })
  });
  expect(await screen.findByText('likely')).toBeTruthy();
  expect(screen.getByText('in the training job search-001')).toBeTruthy();
  expect(screen.getByText('the failure reason')).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Replay' })).toBeNull();
});

it('replays a processing job as one', async () => {
  const { studio } = showCard(
    {
      'bottega:ExplainJobFailure': () => explained({ JobKind: 'Processing' })
    },
    REASON,
    'Processing'
  );
  await userEvent.click(await screen.findByRole('button', { name: 'Replay' }));
  expect(studio.executed).toEqual([
    {
      command: 'bottega:replay-job',
      args: { name: 'churn-0412', kind: 'Processing' }
    }
  ]);
});

it('waits while a replay is made', async () => {
  const { studio } = showCard({
    'bottega:ExplainJobFailure': () => explained()
  });
  let done: () => void = () => undefined;
  studio.execute = () =>
    new Promise(resolve => {
      done = () => resolve(undefined);
    });
  await userEvent.click(await screen.findByRole('button', { name: 'Replay' }));
  const button = screen.getByRole('button', { name: 'Copying code and data…' });
  expect(button).toHaveProperty('disabled', true);
  done();
  await waitFor(() =>
    expect(screen.getByRole('button', { name: 'Replay' })).toBeTruthy()
  );
});

it('can be asked again for a replay that could not be begun, and says why', async () => {
  const { studio } = showCard({
    'bottega:ExplainJobFailure': () => explained()
  });
  studio.execute = () => Promise.reject(new Error('No such command.'));
  await userEvent.click(await screen.findByRole('button', { name: 'Replay' }));
  expect(await screen.findByText(/No such command/)).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Replay' })).toHaveProperty(
    'disabled',
    false
  );
});

it('reads places in logs from parameters, and writes them', () => {
  const place = { stream: 'a/algo-1-1', line: 0 };
  expect(logPlace(logParameters(place))).toEqual({
    ...place,
    asked: expect.stringMatching(/^\d+$/)
  });
  expect(logPlace(logParameters(null))).toBeNull();
  expect(logPlace({ stream: 'a', line: '-1' })).toBeNull();
  expect(logPlace({ stream: 'a', line: '1.5' })).toBeNull();
  expect(logPlace({ line: '3' })).toBeNull();
});

it('calls hosts and causes by their names', () => {
  expect(hostOf('churn/algo-2-1795694400', 'churn')).toBe('algo-2');
  expect(hostOf('churn/i-1/data-log', 'churn')).toBe('i-1/data-log');
  const { trans } = screenProps({});
  expect(causeName('OutOfMemory', trans)).toBe('Out of memory');
  expect(causeName('OfTheFuture', trans)).toBe('OfTheFuture');
  expect(explained().LastLines[0]?.Time).toBe(FAILED_AT);
});
