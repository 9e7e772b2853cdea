import { render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../api/request';
import type { Answers } from '../../../testing/fakeClient';
import { screenProps } from '../../../testing/fakeClient';
import { showScreen } from '../../../testing/liveScreen';
import { DebuggerTab } from '../debugger/debuggerTab';
import { ReportScreen } from '../debugger/reportScreen';
import type { IJobViewProps } from '../jobView';
import { described, firedRule, rule } from './debuggerExamples';
import { job } from './examples';

const drawn: Array<{ data: Array<{ name: string; y: number[] }> }> = [];

// Plotly draws on canvases, which the tests' browser has none of.
jest.mock('plotly.js-gl2d-dist-min', () => ({
  react: (node: HTMLElement, data: never) => {
    drawn.push({ data });
    return Promise.resolve(node);
  },
  purge: () => undefined,
  Plots: { resize: () => undefined }
}));

const CONFIGURATION = {
  RuleConfigurationName: 'LossNotDecreasing',
  RuleEvaluatorImage: 'rules:latest',
  RuleParameters: { rule_to_invoke: 'LossNotDecreasing' }
};

const TENSORS: Answers = {
  'bottega:ListTensorNames': ({ Collection, Regex }) => {
    if (Regex === '(') {
      throw new BottegaError('ValidationException', 'No closing bracket.', 400);
    }
    const names =
      Collection === 'losses'
        ? ['loss']
        : ['loss', 'train-auc', 'validation-auc'];
    return {
      Tensors: names
        .filter(name => new RegExp(Regex ?? '').test(name))
        .map(Name => ({
          Name,
          Collections: [],
          Modes: ['GLOBAL'],
          StepCount: 60,
          LastStep: 299
        })),
      TensorCount: names.length
    };
  },
  'bottega:GetTensorCourses': ({ TensorNames = [] }) => ({
    Courses: TensorNames.map(TensorName => ({
      TensorName,
      Mode: 'GLOBAL' as const,
      Steps: [0, 5],
      Values: [1, 0.25],
      PointCount: 2
    })),
    TensorCount: TensorNames.length
  })
};

function tab(
  answers: Answers,
  changes: Parameters<typeof job>[0] = {
    DebugRuleConfigurations: [CONFIGURATION]
  }
): ReturnType<typeof screenProps> & IJobViewProps {
  return {
    ...screenProps({ ...TENSORS, ...answers }, { name: 'churn-0412' }),
    job: job(changes)
  };
}

beforeEach(() => (drawn.length = 0));

describe('the rules', () => {
  it('say what they look for, what they found and what to do', async () => {
    const report = {
      Name: 'profiler-output/profiler-report.html',
      S3Uri: 's3://b/out/profiler-report.html',
      Size: 2000
    };
    const props = tab({
      'bottega:DescribeTrainingJobDebugger': () =>
        described([
          firedRule({
            Actions: [
              {
                Name: 'StopTraining',
                Target: 'churn',
                Outcome: 'Done',
                Time: 5,
                Message: 'The job was stopped.'
              },
              {
                Name: 'Email',
                Target: 'a@b.co',
                Outcome: 'InProgress',
                Message: 'the mail server did not take the message; try 1 of 6'
              }
            ]
          }),
          rule({
            RuleConfigurationName: 'ProfilerReport',
            RuleName: 'ProfilerReport',
            Kind: 'Profiler',
            Reports: [report]
          }),
          rule({
            RuleConfigurationName: 'Mine',
            RuleName: 'Mine',
            Kind: 'Custom',
            Status: 'Error',
            StatusDetails: 'NameError: x',
            Parameters: []
          })
        ])
    });
    const { container } = render(<DebuggerTab {...props} />);
    const fired = await screen.findByRole('region', {
      name: 'LossNotDecreasing'
    });
    expect(within(fired).getByText('IssuesFound')).toBeTruthy();
    expect(fired.textContent).toMatch(/The loss does not go down/);
    expect(fired.textContent).toMatch(/step 30.*The loss was 0.69/);
    expect(fired.textContent).toMatch(/What to do: Try a larger learning rate/);
    expect(fired.textContent).toMatch(/Parameters: num_steps 5/);
    expect(fired.textContent).toMatch(/StopTraining churn: done at .*stopped/);
    expect(fired.textContent).toMatch(/Email a@b.co: being done.*try 1 of 6/);
    expect(
      screen.getByText(/3 rules · 1 found issues · 1 found none/)
    ).toBeTruthy();
    expect(screen.getByRole('alert').textContent).toBe('NameError: x');
    await userEvent.click(screen.getByRole('button', { name: 'Open report' }));
    expect(props.studio.opened).toEqual([
      'job-reports/churn-0412?report=ProfilerReport%2Fprofiler-output%2Fprofiler-report.html'
    ]);
    await waitFor(() => expect(drawn).not.toEqual([]));
    expect((await axe(container)).violations).toEqual([]);
  });

  it('show the last of many findings, and all that are kept when asked', async () => {
    const findings = Array.from({ length: 8 }, (_, index) => ({
      Step: index,
      Time: index,
      Tensors: [],
      Message: `Found ${index}.`
    }));
    const props = tab({
      'bottega:DescribeTrainingJobDebugger': () =>
        described([firedRule({ Findings: findings, FindingCount: 90 })])
    });
    render(<DebuggerTab {...props} />);
    expect(await screen.findByText('The last 5 of 90 findings.')).toBeTruthy();
    expect(screen.queryByText('Found 2.')).toBeNull();
    await userEvent.click(screen.getByRole('button', { name: 'Show more' }));
    expect(screen.getByText('Found 0.')).toBeTruthy();
    expect(screen.getByText(/90 findings in all/)).toBeTruthy();
  });

  it('that are not evaluated are not shown as if they were', async () => {
    const props = tab({
      'bottega:DescribeTrainingJobDebugger': () =>
        described([rule({ Status: 'InProgress' })], {
          EvaluatorStatus: 'Failed',
          EvaluatorMessage: 'no memory'
        })
    });
    render(<DebuggerTab {...props} />);
    expect((await screen.findByRole('alert')).textContent).toBe(
      'The rules are not evaluated: no memory'
    );
  });

  it('are shown though the tensors cannot be read', async () => {
    const damaged = described([firedRule()], {
      TensorsMessage: 'The tensors cannot be read.'
    });
    delete damaged.TensorCount;
    const props = tab({
      'bottega:DescribeTrainingJobDebugger': () => damaged
    });
    render(<DebuggerTab {...props} />);
    expect((await screen.findByRole('alert')).textContent).toBe(
      'The tensors cannot be read.'
    );
    expect(screen.getByText('IssuesFound')).toBeTruthy();
    expect(screen.queryByText('The job saved no tensors.')).toBeNull();
  });

  it('are read again when the job changes', async () => {
    let fired = false;
    const props = tab({
      'bottega:DescribeTrainingJobDebugger': () =>
        described([fired ? firedRule() : rule()])
    });
    render(<DebuggerTab {...props} />);
    await screen.findByText('NoIssuesFound');
    fired = true;
    props.client.events.happen({ Kind: 'TrainingJob', Name: 'churn-0412' });
    expect(await screen.findByText('IssuesFound')).toBeTruthy();
  });
});

it('a job without rules says what would have to be in the request', async () => {
  const nothing = described([], { Collections: [] });
  delete nothing.TensorCount;
  const props = tab(
    { 'bottega:DescribeTrainingJobDebugger': () => nothing },
    {}
  );
  const { container } = render(<DebuggerTab {...props} />);
  expect(await screen.findByText(/started without rules/)).toBeTruthy();
  expect(
    screen.getByLabelText('The same job with rules, in Python').textContent
  ).toMatch(/rule_configs.loss_not_decreasing\(\)/);
  expect((await axe(container)).violations).toEqual([]);
});

it('a job whose rules wait for tensors says so', async () => {
  const waiting = described([rule({ Status: 'InProgress' })]);
  delete waiting.TensorCount;
  const props = tab({ 'bottega:DescribeTrainingJobDebugger': () => waiting });
  render(<DebuggerTab {...props} />);
  expect(await screen.findByText('The job saved no tensors.')).toBeTruthy();
});

describe('the tensors', () => {
  const answers: Answers = {
    'bottega:DescribeTrainingJobDebugger': () => described([rule()])
  };
  const lastDrawn = (): string[] =>
    (drawn[drawn.length - 1]?.data ?? []).map(trace => trace.name);

  it('begin with the losses, and are chosen by collection and name', async () => {
    const props = tab(answers);
    render(<DebuggerTab {...props} />);
    await waitFor(() => expect(lastDrawn()).toEqual(['loss']));
    // No empty chart came before it.
    expect(drawn.filter(chart => chart.data.length === 0)).toEqual([]);
    await userEvent.selectOptions(
      screen.getByRole('combobox', { name: 'Collection' }),
      ''
    );
    const train = await screen.findByRole('checkbox', { name: 'train-auc' });
    await waitFor(() => expect(lastDrawn()).toHaveLength(3));
    await userEvent.click(train);
    await waitFor(() =>
      expect(lastDrawn()).toEqual(['loss', 'validation-auc'])
    );
    await userEvent.selectOptions(
      screen.getByRole('combobox', { name: 'What is drawn of each tensor' }),
      'l2'
    );
    await waitFor(() =>
      expect(
        props.client.requests('bottega:GetTensorCourses').pop()
      ).toMatchObject({
        TensorNames: ['loss', 'validation-auc'],
        Statistic: 'l2'
      })
    );
    expect(screen.getByText(/loss 0.25/)).toBeTruthy();
    await userEvent.click(
      screen.getByRole('button', { name: 'Clear the choice' })
    );
    expect(await screen.findByText(/Choose tensors/)).toBeTruthy();
  });

  it('are filtered, and a wrong filter is explained', async () => {
    render(<DebuggerTab {...tab(answers)} />);
    const box = await screen.findByRole('searchbox');
    await userEvent.type(box, '({Enter}');
    expect((await screen.findByRole('alert')).textContent).toBe(
      'No closing bracket.'
    );
    await userEvent.clear(box);
    await userEvent.type(box, 'nothing{Enter}');
    expect(await screen.findByText(/No tensor has such a name/)).toBeTruthy();
  });
});

it('a report is shown without scripts and without anything from elsewhere', async () => {
  const files = ['a.html', 'a.json'].map(Name => ({
    Name,
    S3Uri: `s3://b/${Name}`,
    Size: 1
  }));
  const props = screenProps(
    {
      'bottega:DescribeTrainingJobDebugger': () =>
        described([
          rule({ RuleConfigurationName: 'First', Reports: files }),
          rule({
            RuleConfigurationName: 'Second',
            Reports: [{ Name: 'b.html', S3Uri: 's3://b/b.html', Size: 1 }]
          })
        ])
    },
    { name: 'churn-0412', parameters: { report: 'Second/b.html' } }
  );
  props.client.readObject = async uri =>
    uri === 's3://b/b.html' ? `<h1>${uri}</h1>` : null;
  showScreen(ReportScreen, props);
  const frame = await screen.findByTitle('Report of Second');
  expect(frame.getAttribute('sandbox')).toBe('');
  const shown = frame.getAttribute('srcdoc') ?? '';
  expect(shown).toContain('<h1>s3://b/b.html</h1>');
  expect(shown.startsWith('<meta http-equiv="Content-Security-Policy"')).toBe(
    true
  );
  expect(shown).toContain("default-src 'none'");
  await userEvent.selectOptions(
    screen.getByRole('combobox', { name: 'Report' }),
    'First'
  );
  expect(await screen.findByText(/The report is gone/)).toBeTruthy();
});
