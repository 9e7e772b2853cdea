import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { INotebookTracker } from '@jupyterlab/notebook';
import {
  MimeModel,
  RenderMimeRegistry,
  standardRendererFactories
} from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import { act, configure, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { BottegaError } from '../../../../api/request';
import type { Answers } from '../../../../testing/fakeClient';
import '../../../../testing/canvas';
import { FakeClient, FakeStudio } from '../../../../testing/fakeClient';
import { answers, FLOW } from '../../panels/__tests__/fixtures';
import { bundleOf, WRANGLER_MIME } from '../bundle';
import { cellCode, namesOf } from '../cellCode';
import { titleOf } from '../draftScreen';
import { DraftStore } from '../draftStore';
import { insertCellBelow, placeOf } from '../insertCell';
import { wranglerOutputs } from '../plugin';

configure({ defaultHidden: true });

const BUNDLE = {
  draftId: 'draft-1',
  title: 'beers',
  rows: 2410,
  columns: 11,
  expression: 'df'
};
const MODULE = `"""Prepares beers."""

import pandas as pd

DF_TYPES = {"abv": "float64"}


def load(
    path="s3://bucket/data_wrangler_flows/drafts/draft-1/beers.parquet"  # noqa: E501
):
    """Read beers."""
    df = pd.read_parquet(path)

    df = df[list(DF_TYPES)].astype(DF_TYPES)
    return df


def prepare_beers(df):
    return df


if __name__ == "__main__":
    prepare_beers(load()).to_csv("prepare_beers_prepared.csv", index=False)
`;
const CELL = `"""Prepares beers."""

import pandas as pd

DF_TYPES = {"abv": "float64"}


def prepare_beers(df):
    return df


beers_prepared = prepare_beers(df[list(DF_TYPES)].astype(DF_TYPES))
beers_prepared
`;
const DATA = {
  [WRANGLER_MIME]: BUNDLE,
  'text/html': '<table><tr><td>the head</td></tr></table>',
  'text/plain': 'the head'
};

function drafts(more: Answers = {}): Answers {
  return answers({
    'bottega:GetDraftFlow': () => ({ Flow: FLOW, Version: 1 }),
    'bottega:PutDraftFlow': () => ({ Version: 2 }),
    'bottega:ProfileFlow': () => ({ Rows: 2410, Scope: 'whole', Profiles: [] }),
    'bottega:ExportFlow': () => ({
      Text: MODULE,
      FileName: 'beers.py',
      MediaType: 'text/x-python',
      Notes: ['pandas reads s3:// with s3fs.']
    }),
    ...more
  });
}

/** A notebook of one cell, with its output in it. */
function notebook(): {
  panel: Widget;
  cells: Array<{ cell_type: string; source: string }>;
  tracker: INotebookTracker;
  output: Widget;
} {
  const panel = new Widget();
  const cell = new Widget();
  const output = new Widget();
  panel.node.append(cell.node);
  cell.node.append(output.node);
  const cells = [{ cell_type: 'code', source: 'bottega.show(df)' }];
  const content = {
    node: panel.node,
    widgets: [cell],
    activeCellIndex: 0,
    model: {
      sharedModel: {
        insertCell: (
          index: number,
          made: { cell_type: string; source: string }
        ) => cells.splice(index, 0, made)
      }
    }
  };
  const tracker = {
    find: (fits: (item: unknown) => boolean) => [{ content }].find(fits)
  } as unknown as INotebookTracker;
  return { panel, cells, tracker, output };
}

function activate(
  more: Answers = {},
  tracker: INotebookTracker | null = null
): {
  client: FakeClient;
  studio: FakeStudio;
  registry: RenderMimeRegistry;
} {
  const client = new FakeClient(drafts(more));
  const studio = new FakeStudio();
  const registry = new RenderMimeRegistry({
    initialFactories: standardRendererFactories
  });
  void wranglerOutputs.activate(
    {} as JupyterFrontEnd,
    studio,
    client,
    registry,
    tracker,
    null,
    null
  );
  return { client, studio, registry };
}

describe('the output of a table', () => {
  it('is the wrangler where the notebook is trusted, and the table’s head where it is not', () => {
    const { registry } = activate();
    expect(registry.preferredMimeType(DATA, 'any')).toBe(WRANGLER_MIME);
    expect(registry.preferredMimeType(DATA, 'ensure')).toBe('text/html');
  });

  it('works on the draft, and puts the code into a cell below', async () => {
    const user = userEvent.setup();
    const { panel, cells, tracker, output } = notebook();
    const { client, studio, registry } = activate({}, tracker);
    const renderer = registry.createRenderer(WRANGLER_MIME);
    Widget.attach(panel, document.body);
    await act(() =>
      renderer.renderModel(new MimeModel({ data: DATA, trusted: true }))
    );
    act(() => Widget.attach(renderer, output.node));
    expect(await screen.findByText('beers')).toBeTruthy();
    await waitFor(() =>
      expect(
        screen.getByRole('button', { name: 'Insert code' })
      ).toHaveProperty('disabled', false)
    );
    expect(client.requests('bottega:GetDraftFlow')[0]).toEqual({
      DraftId: 'draft-1'
    });
    await user.click(screen.getByRole('button', { name: 'Insert code' }));
    expect(
      await screen.findByText('The code is in the cell below.')
    ).toBeTruthy();
    expect(cells).toEqual([
      { cell_type: 'code', source: 'bottega.show(df)' },
      { cell_type: 'code', source: CELL }
    ]);
    expect(client.requests('bottega:ExportFlow')).toMatchObject([
      { Form: 'pandas', Name: 'prepare_beers', NodeId: 'breweries' }
    ]);
    await user.click(screen.getByRole('button', { name: 'Open in a tab' }));
    expect(studio.opened).toEqual(['draft-flow/draft-1']);
    act(() => renderer.dispose());
    panel.dispose();
  });

  it('says what is wrong with an output that names no draft', async () => {
    const { registry } = activate();
    const renderer = registry.createRenderer(WRANGLER_MIME);
    await act(() =>
      renderer.renderModel(
        new MimeModel({ data: { [WRANGLER_MIME]: {} }, trusted: true })
      )
    );
    act(() => Widget.attach(renderer, document.body));
    expect(await screen.findByText(/names no draft/)).toBeTruthy();
    act(() => renderer.dispose());
  });

  it('says so when the draft is gone', async () => {
    const { registry } = activate({
      'bottega:GetDraftFlow': () => {
        throw new BottegaError(
          'ResourceNotFound',
          'There is no draft flow draft-1.',
          404
        );
      }
    });
    const renderer = registry.createRenderer(WRANGLER_MIME);
    await act(() =>
      renderer.renderModel(new MimeModel({ data: DATA, trusted: true }))
    );
    act(() => Widget.attach(renderer, document.body));
    expect(
      await screen.findByText('There is no draft flow draft-1.')
    ).toBeTruthy();
    act(() => renderer.dispose());
  });

  it('has a screen of its own for the tab', () => {
    const { studio } = activate();
    expect(studio.screens.map(item => [item.id, item.named])).toEqual([
      ['draft-flow', true]
    ]);
  });
});

describe('a draft', () => {
  it('is kept under its id, and heard of when the kernel changes it', async () => {
    let flow = FLOW;
    const client = new FakeClient(
      drafts({
        'bottega:GetDraftFlow': () => ({ Flow: flow, Version: 1 }),
        'bottega:PutDraftFlow': request => {
          flow = request.Flow;
          return { Version: 2 };
        }
      })
    );
    const store = new DraftStore(client, 'draft-1', 'My beers');
    const heard: string[] = [];
    store.changed.connect((_, text) => heard.push(text));
    expect(await store.read()).toBe(FLOW);
    expect(store.name).toBe('my_beers');
    await store.write('{"nodes": []}');
    const happen = async (name: string): Promise<void> => {
      client.events.happen({ Kind: 'DraftFlow', Name: name });
      await new Promise(resolve => setTimeout(resolve, 0));
    };
    await happen('draft-1');
    expect(heard).toEqual([]);
    flow = '{"nodes": [], "of": "the kernel"}';
    await happen('draft-2');
    expect(heard).toEqual([]);
    await happen('draft-1');
    expect(heard).toEqual([flow]);
    store.dispose();
    flow = '{}';
    await happen('draft-1');
    expect(heard).toHaveLength(1);
  });
});

describe('the data of an output', () => {
  it('is judged', () => {
    expect(bundleOf({ draftId: 'a' })).toEqual({
      draftId: 'a',
      title: 'a',
      rows: 0,
      columns: 0,
      expression: null
    });
    expect(() => bundleOf(null)).toThrow('names no draft');
  });
});

describe('the code of a cell', () => {
  it('prepares the frame that the kernel has', () => {
    expect(cellCode(MODULE, BUNDLE)).toBe(CELL);
  });

  it('leaves the call to whoever knows the frame', () => {
    const code = cellCode(MODULE, { ...BUNDLE, expression: null });
    expect(code).toContain('\n\n# beers_prepared = prepare_beers(df[');
    expect(code).not.toContain('def load');
  });

  it('goes on reading the tables that are elsewhere', () => {
    const two = MODULE.replace('def load(', 'def load_beers(')
      .replace(
        'def prepare_beers(df)',
        'def load_breweries(path="breweries.csv"):\n    return pd.read_csv(path)\n\n\ndef prepare_beers(beers, breweries)'
      )
      .replace('load())', 'load_beers(), load_breweries())');
    const code = cellCode(two, BUNDLE);
    expect(code).not.toContain('def load_beers');
    expect(code).toContain('def load_breweries');
    expect(code).toContain(
      'prepare_beers(df[list(DF_TYPES)].astype(DF_TYPES), load_breweries())'
    );
    const none = cellCode(two, { ...BUNDLE, draftId: 'draft-2' });
    expect(none).toContain('prepare_beers(load_beers(), load_breweries())');
  });

  it('has names that Python takes', () => {
    expect(namesOf('df')).toEqual({
      prepare: 'prepare_df',
      prepared: 'df_prepared'
    });
    expect(namesOf('2026 Sales!').prepared).toBe('table_2026_sales_prepared');
    expect(namesOf('…').prepare).toBe('prepare_df');
  });
});

describe('the tab of a draft', () => {
  it('is called as the table', () => {
    expect(titleOf('my-beers-0123456789ab')).toBe('my-beers');
    expect(titleOf('draft-1')).toBe('draft-1');
  });
});

describe('the place of an output', () => {
  it('is none outside of notebooks', () => {
    const { tracker } = notebook();
    expect(placeOf(tracker, document.createElement('div'))).toBeNull();
  });

  it('must have been read', () => {
    expect(() =>
      insertCellBelow(
        { panel: { content: { model: null } } as never, index: 0 },
        ''
      )
    ).toThrow('has not been read');
  });
});
