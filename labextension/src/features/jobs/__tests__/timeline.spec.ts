import { timeline } from '../timeline';
import { progressOf } from '../progress';
import { course, job, NOON, runningJob } from './examples';

describe('the timeline', () => {
  it('gives each step of an ended job its seconds', () => {
    const steps = timeline(
      job().SecondaryStatusTransitions ?? [],
      false,
      NOON + 500
    );
    expect(steps.map(step => [step.status, step.seconds, step.state])).toEqual([
      ['Starting', 1, 'done'],
      ['Downloading', 1, 'done'],
      ['Training', 58, 'done'],
      ['Uploading', 1, 'done'],
      ['Completed', null, 'done']
    ]);
    const whole = steps.reduce((sum, step) => sum + step.share, 0);
    expect(whole).toBeCloseTo(1);
    expect(steps[2]?.share).toBeGreaterThan(0.5);
  });

  it('has the present step grow, and shows what is ahead', () => {
    const transitions = runningJob().SecondaryStatusTransitions ?? [];
    const steps = timeline(transitions, true, NOON + 12);
    expect(steps[2]).toMatchObject({ state: 'present', seconds: 10 });
    expect(timeline(transitions, true, NOON + 22)[2]?.seconds).toBe(20);
    expect(steps.slice(3).map(step => [step.status, step.state])).toEqual([
      ['Uploading', 'ahead'],
      ['Completed', 'ahead']
    ]);
  });

  it('leads a job that waits through all steps, and one that stops to its end', () => {
    const pending = timeline(
      [
        { Status: 'Starting', StartTime: NOON, EndTime: NOON },
        { Status: 'Pending', StartTime: NOON }
      ],
      true,
      NOON + 5
    );
    expect(pending.map(step => step.status)).toEqual([
      'Starting',
      'Pending',
      'Starting',
      'Downloading',
      'Training',
      'Uploading',
      'Completed'
    ]);
    const stopping = timeline(
      [{ Status: 'Stopping', StartTime: NOON }],
      true,
      NOON
    );
    expect(stopping.map(step => step.status)).toEqual(['Stopping', 'Stopped']);
  });

  it('marks what went wrong', () => {
    const steps = timeline(
      [
        { Status: 'Training', StartTime: NOON, EndTime: NOON + 3 },
        { Status: 'Failed', StartTime: NOON + 3, EndTime: NOON + 3 }
      ],
      false,
      NOON + 9
    );
    expect(steps.map(step => step.state)).toEqual(['done', 'bad']);
  });
});

describe('the progress', () => {
  it('counts rounds, and says what is left at the present pace', () => {
    const values = Array.from({ length: 187 }, () => 0.5);
    // The last round was heard of at second 188 of the job.
    const found = progressOf(
      runningJob(),
      [course('train:auc', values)],
      NOON + 198
    );
    expect(found).toMatchObject({ kind: 'round', done: 187, total: 300 });
    expect(found?.left).toBeCloseTo(113 - 10);
  });

  it('counts the cells of a notebook', () => {
    const found = progressOf(
      runningJob({
        HyperParameters: {},
        Environment: { BOTTEGA_NOTEBOOK_CELLS: '12' }
      }),
      [course('notebook:cell', [1, 2, 3])],
      NOON
    );
    expect(found).toEqual({ kind: 'cell', done: 3, total: 12, left: null });
  });

  it('says nothing where the job counts in another way', () => {
    const many = course('loss', [1, 2, 3]);
    const rounds = (text: string) =>
      progressOf(runningJob({ HyperParameters: { epochs: text } }), [many], 0);
    expect(rounds('2')).toBeNull();
    expect(rounds('"5"')).toMatchObject({ done: 3, total: 5 });
    expect(rounds('auto')).toBeNull();
    expect(progressOf(runningJob(), [], 0)).toBeNull();
  });
});
