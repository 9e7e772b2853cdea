import { Signal } from '@lumino/signaling';

import type {
  IFlowAnalysis,
  IFlowColumn,
  IFlowEdit,
  IFlowNodeState,
  IFlowParameter,
  IFlowTransform,
  IPreviewFlowResponse
} from '../../../../api/types/wrangler';
import type { Answers } from '../../../../testing/fakeClient';
import { FakeClient, FakeStudio, trans } from '../../../../testing/fakeClient';
import { PassingTrust } from '../../model/trust';
import type { IFlowStore, IPanelProps } from '../../model/types';
import { WranglerModel } from '../../model/wranglerModel';

export const COLUMNS: IFlowColumn[] = [
  { Name: 'id', Type: 'long' },
  { Name: 'city', Type: 'string' },
  { Name: 'ounces', Type: 'float' }
];

export function parameter(
  more: Partial<IFlowParameter> & Pick<IFlowParameter, 'Name' | 'Kind'>
): IFlowParameter {
  return {
    Label: more.Name,
    Sentence: `What ${more.Name} is.`,
    Required: false,
    ...more
  };
}

export function transform(
  more: Partial<IFlowTransform> & Pick<IFlowTransform, 'Name'>
): IFlowTransform {
  return {
    Operator: 'sagemaker.spark.handle_missing_0.1',
    Group: 'Handle missing',
    Sentence: `Does ${more.Name}.`,
    EdgeCases: 'Empty text is not missing.',
    Parameters: [],
    Serving: 'apply',
    Inputs: 1,
    Learns: false,
    RunsCode: false,
    Words: [],
    ...more
  };
}

export const FILL = transform({
  Name: 'Fill missing',
  Words: ['fillna'],
  Parameters: [
    parameter({
      Name: 'input_column',
      Kind: 'columns',
      Label: 'Columns',
      Required: true
    }),
    parameter({
      Name: 'fill_value',
      Kind: 'value',
      Label: 'Fill value',
      Required: true
    })
  ]
});

export const IMPUTE = transform({
  Name: 'Impute',
  Learns: true,
  Words: ['median', 'mean'],
  Parameters: [
    parameter({
      Name: 'column_type',
      Kind: 'choice',
      Label: 'Column type',
      Choices: ['Numeric', 'Categorical'],
      // The generated types call free JSON a mapping.
      Default: 'Numeric' as unknown as Record<string, unknown>
    }),
    parameter({
      Name: 'strategy',
      Kind: 'choice',
      Label: 'Strategy',
      Choices: ['Mean', 'Median'],
      Default: 'Median' as unknown as Record<string, unknown>,
      When: {
        Parameter: 'column_type',
        Values: ['Numeric' as unknown as Record<string, unknown>]
      }
    }),
    parameter({
      Name: 'input_column',
      Kind: 'column',
      Label: 'Column',
      Required: true,
      ColumnTypes: ['long', 'float']
    })
  ]
});

export const JOIN = transform({
  Name: 'Join',
  Operator: 'sagemaker.spark.join_tables_0.1',
  Group: 'Join',
  Inputs: 2,
  Words: ['merge']
});

export const CONCATENATE = transform({
  Name: 'Concatenate',
  Operator: 'sagemaker.spark.concatenate_0.1',
  Group: 'Concatenate',
  Inputs: 2,
  Parameters: [
    parameter({
      Name: 'remove_duplicates',
      Kind: 'boolean',
      Label: 'Remove duplicates'
    })
  ]
});

export const REPORT: IFlowAnalysis = {
  Operator: 'sagemaker.visualizations.data_insights_report_0.1',
  Name: 'Data Quality and Insights report',
  Sentence: 'Looks at everything.',
  Words: [],
  Parameters: [
    parameter({ Name: 'target_column', Kind: 'column', Label: 'Target column' })
  ]
};

export const HISTOGRAM: IFlowAnalysis = {
  Operator: 'sagemaker.visualizations.histogram_0.1',
  Name: 'Histogram',
  Sentence: 'Counts the values of a column.',
  Words: [],
  Parameters: [
    parameter({
      Name: 'x_axis',
      Kind: 'column',
      Label: 'X axis',
      Required: true
    })
  ]
};

/** A flow of two sources. */
export const FLOW = JSON.stringify({
  metadata: { version: 1 },
  nodes: [
    node('beers', 'SOURCE', 'bottega.file_source_0.1'),
    node('breweries', 'SOURCE', 'bottega.file_source_0.1')
  ]
});

function node(id: string, type: string, operator: string): object {
  return {
    node_id: id,
    type,
    operator,
    parameters: {},
    inputs: [],
    outputs: [{ name: 'default' }]
  };
}

/** What the server would say of an edit that adds a node. */
export function edited(flow: string, edit: IFlowEdit, id: string): string {
  const document = JSON.parse(flow) as { nodes: object[] };
  return JSON.stringify({
    ...document,
    nodes: [
      ...document.nodes.filter(
        item => (item as { node_id: string }).node_id !== id
      ),
      {
        node_id: id,
        type: edit.Kind === 'add_analysis' ? 'VISUALIZATION' : 'TRANSFORM',
        operator: edit.Operator,
        parameters: edit.Values,
        inputs: [{ name: 'df', node_id: edit.NodeId, output_name: 'default' }],
        outputs: edit.Kind === 'add_analysis' ? [] : [{ name: 'default' }]
      }
    ]
  });
}

/** States of the nodes of a flow, as CheckFlow says them. */
export function states(
  flow: string,
  more: Record<string, Partial<IFlowNodeState>> = {}
): IFlowNodeState[] {
  const { nodes } = JSON.parse(flow) as {
    nodes: Array<{
      node_id: string;
      type: string;
      parameters: Record<string, unknown>;
    }>;
  };
  return nodes.map(item => ({
    NodeId: item.node_id,
    Type: item.type,
    Title: item.node_id,
    Summary: `summary of ${item.node_id}`,
    Disabled: false,
    Outputs: item.type === 'VISUALIZATION' ? [] : ['default'],
    Columns: COLUMNS,
    Values: item.parameters,
    ...more[item.node_id]
  }));
}

export const PAGE: IPreviewFlowResponse = {
  Columns: COLUMNS,
  Rows: [[1, 'Bend', null]] as unknown as Array<Record<string, unknown>>,
  RowIds: [0],
  TotalRows: 2410,
  Scope: 'whole'
};

export function answers(more: Answers = {}): Answers {
  return {
    'bottega:ListTransforms': () => ({
      Transforms: [FILL, IMPUTE, JOIN, CONCATENATE],
      Analyses: [REPORT, HISTOGRAM]
    }),
    'bottega:EditFlow': request => ({
      Flow: edited(request.Flow, request.Edit, 'new'),
      NodeId: 'new'
    }),
    'bottega:CheckFlow': request => ({
      Nodes: states(request.Flow),
      NeedsTrust: false,
      Ends: [],
      Notes: []
    }),
    'bottega:PreviewFlow': () => PAGE,
    'bottega:SuggestSteps': () => ({ Suggestions: [] }),
    ...more
  };
}

/** A flow that lives as long as the test. */
export class MemoryStore implements IFlowStore {
  constructor(public text = FLOW) {}

  readonly title = 'beers.flow';
  readonly name = 'beers';
  readonly key = 'data/beers.flow';
  readonly folder = '/home/somebody/data';
  readonly directory = 'data';
  readonly readOnly = false;
  readonly changed: Signal<IFlowStore, string> = new Signal(this);

  read(): Promise<string> {
    return Promise.resolve(this.text);
  }

  write(text: string): Promise<void> {
    this.text = text;
    return Promise.resolve();
  }
}

/** Everything a panel is given, over a server that answers as the test says. */
export async function panelProps(
  more: Answers = {},
  store = new MemoryStore()
): Promise<
  IPanelProps & {
    client: FakeClient;
    studio: FakeStudio;
    model: WranglerModel;
    store: MemoryStore;
  }
> {
  const client = new FakeClient(answers(more));
  const model = new WranglerModel(client, store, new PassingTrust());
  await new Promise<void>(resolve => {
    const look = (): void => {
      if (model.check || (model.isReady && store.text === '')) {
        resolve();
      }
    };
    model.changed.connect(look);
    look();
  });
  return { client, studio: new FakeStudio(), model, store, trans };
}
