import type { TranslationBundle } from '@jupyterlab/translation';

import type {
  IDescribeRunResponse,
  IRunArtifact
} from '../../api/types/experiments';
import { Empty } from '../../shared/components/states';
import { bytes } from '../../shared/format';
import type { IScreenProps } from '../../tokens';

/** Names and values as a table. */
export function Values(props: {
  values: Readonly<Record<string, string>>;
  label: string;
  empty: string;
  trans: TranslationBundle;
}): JSX.Element {
  const names = Object.keys(props.values).sort();
  if (names.length === 0) {
    return <Empty sentence={props.empty} />;
  }
  return (
    <table className="jp-BottegaExperiment-figures" aria-label={props.label}>
      <thead>
        <tr>
          <th scope="col">{props.trans.__('Name')}</th>
          <th scope="col">{props.trans.__('Value')}</th>
        </tr>
      </thead>
      <tbody>
        {names.map(name => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>
              <code>{props.values[name]}</code>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What the run logged, as downloads. */
export function Artifacts(
  props: IScreenProps & { described: IDescribeRunResponse }
): JSX.Element {
  const { client, described, name, trans } = props;
  const paths = new Set(described.Artifacts.map(item => item.Path));
  const files: IRunArtifact[] = [
    ...described.Artifacts,
    // Models are kept beside the artifacts, under their own names.
    ...described.LoggedModels.filter(model => !paths.has(model)).map(model => ({
      Path: model,
      IsDirectory: true
    }))
  ];
  if (files.length === 0) {
    return <Empty sentence={trans.__('The run has logged no artifacts.')} />;
  }
  return (
    <table
      className="jp-BottegaExperiment-figures"
      aria-label={trans.__('Artifacts')}
    >
      <thead>
        <tr>
          <th scope="col">{trans.__('Path')}</th>
          <th scope="col" className="jp-mod-end">
            {trans.__('Size')}
          </th>
          <th scope="col">{trans.__('Kind')}</th>
        </tr>
      </thead>
      <tbody>
        {files.map(item => (
          <tr key={item.Path}>
            <th scope="row">
              {item.IsDirectory ? (
                `${item.Path}/`
              ) : (
                <a
                  className="jp-BottegaExperiment-link"
                  href={client.artifactUrl(name, item.Path)}
                  download
                >
                  {item.Path}
                </a>
              )}
            </th>
            <td className="jp-mod-end">
              {item.SizeBytes === undefined ? '' : bytes(item.SizeBytes)}
            </td>
            <td>
              {described.LoggedModels.includes(item.Path)
                ? trans.__('model')
                : item.IsDirectory
                  ? trans.__('folder')
                  : trans.__('file')}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The data sets it used, its code and what it ran in. */
export function DataAndEnvironment(
  props: IScreenProps & { described: IDescribeRunResponse }
): JSX.Element {
  const { described, trans } = props;
  return (
    <>
      <section className="jp-BottegaCard">
        <h2>{trans.__('Data')}</h2>
        {described.Inputs.length === 0 ? (
          <p>{trans.__('The run has logged no data sets.')}</p>
        ) : (
          <table
            className="jp-BottegaExperiment-figures"
            aria-label={trans.__('Data')}
          >
            <thead>
              <tr>
                <th scope="col">{trans.__('Name')}</th>
                <th scope="col">{trans.__('Context')}</th>
                <th scope="col">{trans.__('Digest')}</th>
                <th scope="col">{trans.__('Source')}</th>
              </tr>
            </thead>
            <tbody>
              {described.Inputs.map(input => (
                <tr key={`${input.Name} ${input.Digest} ${input.Context}`}>
                  <th scope="row">{input.Name}</th>
                  <td>{input.Context}</td>
                  <td>
                    <code>{input.Digest}</code>
                  </td>
                  <td>
                    <code>{input.Source}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
      <section className="jp-BottegaCard">
        <h2>{trans.__('Environment')}</h2>
        <Values
          values={described.Environment}
          label={trans.__('Environment')}
          empty={trans.__('The run has not logged what it ran in.')}
          trans={trans}
        />
      </section>
    </>
  );
}
