import type { TranslationBundle } from '@jupyterlab/translation';
import { useCallback, useMemo } from 'react';

import type {
  IDescribeModelLineageResponse,
  ILineageEdge,
  ILineageNode,
  LineageNodeType
} from '../../api/types/registry';
import { Loadable } from '../../shared/components/states';
import { LayeredGraph } from '../../shared/graph/layeredGraph';
import { versionPath } from '../../shared/graph/lineage';
import { useLive } from '../../shared/hooks/useLive';
import type { IBottega, IScreenProps } from '../../tokens';

/** Kinds of events after which a lineage may be another. */
const CONCERNED = [
  'ModelPackage',
  'Model',
  'EndpointConfig',
  'Endpoint',
  'TrainingJob'
];

/** What a version was made from, and what was made from it. */
export function Lineage(props: IScreenProps & { arn: string }): JSX.Element {
  const { arn, client, studio, trans } = props;
  const lineage = useLive(
    props,
    signal =>
      client.call(
        'bottega:DescribeModelLineage',
        { ResourceType: 'ModelPackage', ResourceName: arn },
        signal
      ),
    [arn],
    { concerns: event => CONCERNED.includes(event.Kind ?? '') }
  );
  return (
    <Loadable
      live={lineage}
      trans={trans}
      what={trans.__('The lineage cannot be read.')}
    >
      {value => <Graph lineage={value} studio={studio} trans={trans} />}
    </Loadable>
  );
}

function Graph(props: {
  lineage: IDescribeModelLineageResponse;
  studio: IBottega;
  trans: TranslationBundle;
}): JSX.Element {
  const { lineage, studio, trans } = props;
  const graph = useMemo(
    () => ({
      nodes: lineage.Nodes.map(node => ({ id: node.Id })),
      edges: joined(lineage.Edges)
    }),
    [lineage]
  );
  const render = useCallback(
    (id: string) => {
      const node = lineage.Nodes.find(one => one.Id === id);
      return node ? (
        <LineageNode
          node={node}
          isFocus={id === lineage.Focus}
          studio={studio}
          trans={trans}
        />
      ) : null;
    },
    [lineage, studio, trans]
  );
  return (
    <>
      <LayeredGraph
        graph={graph}
        focus={lineage.Focus}
        render={render}
        label={trans.__('Lineage')}
        trans={trans}
      />
      {lineage.Truncated && (
        <p className="jp-BottegaTest-hint">
          {trans.__('There is more than is drawn.')}
        </p>
      )}
    </>
  );
}

/** One thing may play two roles for another, as training and as validation data: one edge, two labels. */
export function joined(
  edges: readonly ILineageEdge[]
): Array<{ id: string; source: string; target: string; label?: string }> {
  const labels = new Map<string, string[]>();
  const found = new Map<string, ILineageEdge>();
  for (const edge of edges) {
    const id = `${edge.Source}>${edge.Target}`;
    found.set(id, edge);
    labels.set(id, [
      ...(labels.get(id) ?? []),
      ...(edge.Label === undefined ? [] : [edge.Label])
    ]);
  }
  return [...found].map(([id, edge]) => {
    const roles = labels.get(id) ?? [];
    return {
      id,
      source: edge.Source,
      target: edge.Target,
      ...(roles.length > 0 ? { label: roles.join(', ') } : {})
    };
  });
}

function LineageNode(props: {
  node: ILineageNode;
  isFocus: boolean;
  studio: IBottega;
  trans: TranslationBundle;
}): JSX.Element {
  const { node, isFocus, studio, trans } = props;
  const path = node.Exists ? pathOf(node) : null;
  const classes = [
    'jp-BottegaLineage-node',
    isFocus ? 'jp-mod-selected' : '',
    node.Exists ? '' : 'jp-mod-off'
  ];
  const content = (
    <>
      <span className="jp-BottegaLineage-kind">
        {kindName(node.Type, trans)}
        {node.Status ? ` · ${node.Status}` : ''}
        {node.Exists ? '' : ` · ${trans.__('deleted')}`}
      </span>
      <span className="jp-BottegaLineage-name">{shortName(node.Name)}</span>
    </>
  );
  return path ? (
    <button
      type="button"
      className={`${classes.filter(Boolean).join(' ')} nodrag nopan`}
      title={node.Name}
      onClick={() => studio.open(path)}
    >
      {content}
    </button>
  ) : (
    <div className={classes.filter(Boolean).join(' ')} title={node.Name}>
      {content}
    </div>
  );
}

/** The screen of a node; null where it has none. */
export function pathOf(node: ILineageNode): string | null {
  switch (node.Type) {
    case 'TrainingJob':
      return `jobs/${encodeURIComponent(node.Name)}`;
    case 'Endpoint':
      return `endpoints/${encodeURIComponent(node.Name)}`;
    case 'ModelPackage':
      return versionPath(node.Name);
    case 'Run':
      return `runs/${encodeURIComponent(node.Name)}`;
    default:
      return null;
  }
}

/** The end of a URI says most; names are shown whole. */
function shortName(name: string): string {
  const parts = name.split('/');
  return name.startsWith('s3://') && parts.length > 4
    ? `…/${parts.slice(-2).join('/')}`
    : name;
}

function kindName(kind: LineageNodeType, trans: TranslationBundle): string {
  return {
    Data: trans.__('Data'),
    Run: trans.__('Run'),
    ProcessingJob: trans.__('Processing job'),
    TrainingJob: trans.__('Training job'),
    ModelPackage: trans.__('Version'),
    Model: trans.__('Model'),
    EndpointConfig: trans.__('Endpoint configuration'),
    Endpoint: trans.__('Endpoint')
  }[kind];
}
