import {
  act,
  configure,
  render,
  screen,
  waitFor,
  within
} from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../../api/request';
import type { IChartTheme } from '../../../../shared/charts/theme';
import type { IAnalyzeFlowResponse } from '../../../../api/types/wrangler';
import type { FlowContents } from '../flowFiles';
import { FlowFiles } from '../flowFiles';
import { ChartsTab } from '../chartsTab';
import { CodeTab } from '../codeTab';
import { ExportTab } from '../exportTab';
import { InsightsTab } from '../insightsTab';
import { inTheme } from '../analysisSections';
import { reportOf } from '../report';
import { MemoryStore, panelProps } from './fixtures';

// Plotly draws on canvases, which jsdom has none of. Bars are in this bundle of it.
jest.mock('plotly.js-cartesian-dist-min', () => ({
  react: (node: HTMLElement) => {
    node.replaceChildren(document.createElement('svg'));
    return Promise.resolve(node);
  },
  purge: () => undefined,
  Plots: { resize: () => undefined }
}));

configure({ defaultHidden: true });

const ANALYSIS: IAnalyzeFlowResponse = {
  Title: 'Data Quality and Insights report',
  Rows: 2410,
  Scope: 'sample',
  Sections: [
    {
      Title: 'Summary',
      Text: '2,410 rows.',
      Issues: [
        { Id: 'low', Severity: 'low', Sentence: 'Rare categories.' },
        {
          Id: 'high',
          Severity: 'high',
          Sentence: 'ibu is missing in 42% of the rows.'
        }
      ]
    },
    {
      Title: 'Target',
      Figure: { data: [{ type: 'bar', x: [1], y: [2] }] },
      Table: {
        Columns: ['value', 'count'],
        Rows: [['IPA', 0.123456789]] as unknown as Array<
          Record<string, unknown>
        >
      }
    }
  ]
};

/** What the browser was given to keep. */
const kept: Blob[] = [];

beforeAll(() => {
  URL.createObjectURL = blob => {
    kept.push(blob as Blob);
    return 'blob:kept';
  };
  URL.revokeObjectURL = () => undefined;
  // jsdom follows no links.
  HTMLAnchorElement.prototype.click = () => undefined;
});

beforeEach(() => {
  kept.length = 0;
});

describe('a matrix', () => {
  const theme: IChartTheme = {
    text: 'text',
    background: 'ground',
    grid: 'grid',
    family: 'sans',
    colours: ['first', 'second']
  };

  it('goes from the ground to the first colour of the theme', () => {
    expect(inTheme({ type: 'heatmap' }, theme)).toEqual({
      type: 'heatmap',
      zmin: 0,
      colorscale: [
        [0, 'ground'],
        [1, 'first']
      ]
    });
  });

  it('about zero has a colour on each side', () => {
    expect(inTheme({ type: 'heatmap', zmin: -1 }, theme)).toEqual({
      type: 'heatmap',
      zmin: -1,
      colorscale: [
        [0, 'second'],
        [0.5, 'ground'],
        [1, 'first']
      ]
    });
  });

  it('keeps the colours that it has, and other traces are left alone', () => {
    const own = { type: 'heatmap', colorscale: 'Blues' };
    expect(inTheme(own, theme)).toBe(own);
    const bars = { type: 'bar' };
    expect(inTheme(bars, theme)).toBe(bars);
  });
});

describe('the insights report', () => {
  it('is made for the chosen target, counts its issues, and can be kept', async () => {
    const user = userEvent.setup();
    const props = await panelProps({
      'bottega:AnalyzeFlow': () => ({ ...ANALYSIS, Html: '<h1>Report</h1>' })
    });
    const { container } = render(<InsightsTab {...props} />);
    await user.selectOptions(
      await screen.findByLabelText('Target column'),
      'city'
    );
    await user.click(screen.getByRole('button', { name: 'Run the report' }));
    expect(await screen.findByText('2,410 rows.')).toBeTruthy();
    expect(props.client.requests('bottega:AnalyzeFlow')).toMatchObject([
      { NodeId: 'breweries', Values: { target_column: 'city' }, Html: true }
    ]);
    expect(reportOf(props.model).issues).toBe(2);
    const issues = container.querySelectorAll('.jp-BottegaIssues li');
    expect([...issues].map(item => item.getAttribute('data-severity'))).toEqual(
      ['high', 'low']
    );
    expect(screen.getByRole('img', { name: 'High severity' })).toBeTruthy();
    expect(screen.getByText('0.123457')).toBeTruthy();
    await waitFor(() =>
      expect(container.querySelector('[data-ready="true"]')).not.toBeNull()
    );
    await user.click(screen.getByRole('button', { name: 'Download HTML' }));
    await user.click(screen.getByRole('button', { name: 'Download JSON' }));
    expect(kept.map(item => item.type)).toEqual([
      'text/html',
      'application/json'
    ]);
    expect((await axe(container)).violations).toEqual([]);
  });

  it('stays when the tab is left, and says when the flow has changed since', async () => {
    const user = userEvent.setup();
    const props = await panelProps({ 'bottega:AnalyzeFlow': () => ANALYSIS });
    const first = render(<InsightsTab {...props} />);
    await user.click(
      await screen.findByRole('button', { name: 'Run the report' })
    );
    await screen.findByText('2,410 rows.');
    first.unmount();
    render(<InsightsTab {...props} />);
    expect(await screen.findByText('2,410 rows.')).toBeTruthy();
    expect(screen.queryByText(/has changed since this report/)).toBeNull();
    act(() => props.model.select('beers'));
    expect(screen.getByText(/has changed since this report/)).toBeTruthy();
  });

  it('says why it cannot be made', async () => {
    const user = userEvent.setup();
    const props = await panelProps({
      'bottega:AnalyzeFlow': () => {
        throw new BottegaError(
          'ValidationException',
          'The table has no row.',
          400
        );
      }
    });
    render(<InsightsTab {...props} />);
    await user.click(
      await screen.findByRole('button', { name: 'Run the report' })
    );
    expect(await screen.findByText('The table has no row.')).toBeTruthy();
  });

  it('needs data', async () => {
    const props = await panelProps({}, new MemoryStore(''));
    render(<InsightsTab {...props} />);
    expect(await screen.findByText(/Add data first/)).toBeTruthy();
  });
});

describe('the charts', () => {
  it('are looked at before they are kept, then drawn from the flow', async () => {
    const user = userEvent.setup();
    const props = await panelProps({
      'bottega:AnalyzeFlow': request => ({
        ...ANALYSIS,
        Title: request.Operator ? 'Preview' : 'Kept'
      })
    });
    const { client, model } = props;
    const { container } = render(<ChartsTab {...props} />);
    await user.click(
      await screen.findByRole('button', { name: 'Add a chart' })
    );
    expect(
      screen.getByLabelText('Analysis').querySelectorAll('option')
    ).toHaveLength(1);
    await user.click(screen.getByRole('button', { name: 'Preview' }));
    expect(screen.getByText('X axis is missing.')).toBeTruthy();
    await user.selectOptions(screen.getByLabelText(/^X axis/), 'ounces');
    await user.click(screen.getByRole('button', { name: 'Preview' }));
    expect(
      await screen.findByRole('heading', { name: 'Preview' })
    ).toBeTruthy();
    expect(model.nodes).toHaveLength(2);
    await user.click(screen.getByRole('button', { name: 'Add to the flow' }));
    expect(await screen.findByRole('heading', { name: 'Kept' })).toBeTruthy();
    expect(client.requests('bottega:EditFlow').at(-1)?.Edit).toEqual({
      Kind: 'add_analysis',
      NodeId: 'breweries',
      OutputName: 'default',
      Operator: 'sagemaker.visualizations.histogram_0.1',
      Values: { x_axis: 'ounces' }
    });
    expect((await axe(container)).violations).toEqual([]);
    await user.click(screen.getByRole('button', { name: 'Edit' }));
    expect(screen.getByLabelText(/^X axis/)).toHaveProperty('value', 'ounces');
    await user.click(screen.getByRole('button', { name: 'Cancel' }));
    await user.click(screen.getByRole('button', { name: 'Remove' }));
    expect(client.requests('bottega:EditFlow').at(-1)?.Edit).toEqual({
      Kind: 'remove',
      NodeId: 'new'
    });
  });

  it('say why one cannot be drawn', async () => {
    const user = userEvent.setup();
    const props = await panelProps({
      'bottega:AnalyzeFlow': () => {
        throw new Error('Column ounces has no value.');
      }
    });
    render(<ChartsTab {...props} />);
    await user.click(
      await screen.findByRole('button', { name: 'Add a chart' })
    );
    await user.selectOptions(screen.getByLabelText(/^X axis/), 'ounces');
    await user.click(screen.getByRole('button', { name: 'Preview' }));
    expect(await screen.findByText('Column ounces has no value.')).toBeTruthy();
  });
});

describe('the code', () => {
  it('follows the form, the selection and the draft', async () => {
    const user = userEvent.setup();
    const props = await panelProps({
      'bottega:ExportFlow': request => ({
        Text: `# ${request.Form} of ${request.NodeId}\n`,
        FileName: 'beers.py',
        MediaType: 'text/x-python',
        Notes: request.Form === 'sql' ? ['The step 3 is no SQL.'] : []
      })
    });
    const { model, studio } = props;
    const { container } = render(<CodeTab {...props} />);
    const code = (text: string): Promise<void> =>
      waitFor(() =>
        expect(
          screen.getByRole('textbox', { name: 'Code of beers.flow' })
            .textContent
        ).toContain(text)
      );
    await code('# pandas of breweries');
    await user.click(screen.getByRole('button', { name: 'Open in notebook' }));
    expect(studio.notebooks).toEqual([
      { code: '# pandas of breweries\n', title: 'beers' }
    ]);
    act(() => model.select('beers'));
    await code('# pandas of beers');
    await user.click(screen.getByRole('radio', { name: 'SQL' }));
    await code('# sql of beers');
    expect(screen.getByText('The step 3 is no SQL.')).toBeTruthy();
    expect((await axe(container)).violations).toEqual([]);
    act(() =>
      model.startDraft({
        Kind: 'add_step',
        Operator: 'x',
        Name: 'y',
        Values: {}
      })
    );
    await code('# sql of new');
  });
});

describe('the exports', () => {
  it('are written beside the flow and opened', async () => {
    const user = userEvent.setup();
    const props = await panelProps({
      'bottega:ListAlgorithms': () => ({
        Algorithms: [],
        Frameworks: [],
        InstanceTypes: []
      }),
      'bottega:ExportFlow': request => ({
        Text: '{"cells": []}',
        FileName: request.Form === 'notebook' ? 'beers.ipynb' : 'beers.py',
        MediaType: 'application/json',
        Notes: ['The table is read from a file.']
      })
    });
    const contents = {
      get: () => Promise.resolve({ type: 'directory', content: [] }),
      save: (path: string) => Promise.resolve({ path })
    } as unknown as FlowContents;
    const { container } = render(
      <ExportTab {...props} files={new FlowFiles(contents)} />
    );
    await user.click(
      await screen.findByRole('button', { name: 'Notebook: create the file' })
    );
    expect(
      await screen.findByText('Written to data/beers.ipynb.')
    ).toBeTruthy();
    expect(screen.getByText('The table is read from a file.')).toBeTruthy();
    expect(props.studio.executed).toEqual([
      { command: 'docmanager:open', args: { path: 'data/beers.ipynb' } }
    ]);
    await user.click(
      screen.getByRole('button', { name: 'Python module: download' })
    );
    await waitFor(() => expect(kept).toHaveLength(1));
    expect((await axe(container)).violations).toEqual([]);
  });

  it('run as a processing job, whose progress is seen', async () => {
    const user = userEvent.setup();
    let status: 'InProgress' | 'Completed' = 'InProgress';
    const props = await panelProps({
      'bottega:ListAlgorithms': () => ({
        Algorithms: [],
        Frameworks: [],
        InstanceTypes: []
      }),
      'bottega:RunFlow': () => ({
        ProcessingJobName: 'beers-1',
        ProcessingJobArn:
          'arn:aws:sagemaker:eu-west-1:123456789012:processing-job/beers-1',
        OutputS3Uri: 's3://bucket/beers-1/',
        FittedFlowS3Uri: 's3://bucket/beers-1/fitted.flow'
      }),
      'sagemaker:DescribeProcessingJob': request => ({
        ProcessingJobName: request.ProcessingJobName,
        ProcessingJobArn: 'arn',
        ProcessingJobStatus: status,
        ProcessingResources: { ClusterConfig: { VolumeSizeInGB: 1 } },
        AppSpecification: { ImageUri: 'sagemaker-data-wrangler-container' },
        CreationTime: 0
      })
    });
    const { client, studio } = props;
    render(<ExportTab {...props} />);
    const job = await screen.findByRole('form', { name: 'Processing job' });
    const output = within(job).getByLabelText('Output S3 URI');
    await user.type(output, 'bucket/beers');
    expect(within(job).getByText(/is no S3 URI/)).toBeTruthy();
    expect(
      within(job).getByRole('button', { name: 'Start the job' })
    ).toHaveProperty('disabled', true);
    await user.clear(output);
    await user.selectOptions(
      within(job).getByLabelText('Label column'),
      'ounces'
    );
    await user.click(
      within(job).getByRole('button', { name: 'Start the job' })
    );
    expect(await screen.findByText('beers-1')).toBeTruthy();
    expect(client.requests('bottega:RunFlow')).toMatchObject([
      {
        NodeId: 'breweries',
        ContentType: 'text/csv',
        Header: true,
        Label: 'ounces'
      }
    ]);
    expect(await screen.findByText('InProgress')).toBeTruthy();
    status = 'Completed';
    act(() => client.events.happen({ Kind: 'ProcessingJob', Name: 'beers-1' }));
    await user.click(
      await screen.findByRole('button', { name: 'Train on this' })
    );
    expect(studio.executed).toEqual([
      { command: 'bottega:train', args: { uri: 's3://bucket/beers-1/' } }
    ]);
  });

  it('say what stands in the way of a job', async () => {
    const user = userEvent.setup();
    const props = await panelProps({
      'bottega:RunFlow': () => {
        throw new BottegaError(
          'ValidationException',
          'Step 2 cannot run.',
          400
        );
      }
    });
    render(<ExportTab {...props} />);
    await user.click(
      await screen.findByRole('button', { name: 'Start the job' })
    );
    expect(await screen.findByText('Step 2 cannot run.')).toBeTruthy();
  });
});
