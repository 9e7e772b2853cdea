import { useState } from 'react';

import type { IChannel, IPreviewDataResponse } from '../../api/types/training';
import { Facts } from '../../shared/components/controls';
import { Empty, Loadable } from '../../shared/components/states';
import { bytes } from '../../shared/format';
import { useLive } from '../../shared/hooks/useLive';
import type { IJobViewProps } from './jobView';

/** So many channels show their first rows at once; of more, each when it is opened. */
const OPEN_CHANNELS = 3;
const ROWS = 10;

/** What the job was given to learn from. */
export function DataTab(props: IJobViewProps): JSX.Element {
  const { job, trans } = props;
  const channels = job.InputDataConfig ?? [];
  if (channels.length === 0) {
    return (
      <Empty sentence={trans.__('The job was given no input channels.')} />
    );
  }
  return (
    <>
      {channels.map(channel => (
        <Channel
          key={channel.ChannelName}
          {...props}
          channel={channel}
          open={channels.length <= OPEN_CHANNELS}
        />
      ))}
    </>
  );
}

function Channel(
  props: IJobViewProps & { channel: IChannel; open: boolean }
): JSX.Element {
  const { channel, trans } = props;
  const [open, setOpen] = useState(props.open);
  const source = channel.DataSource.S3DataSource;
  return (
    <section
      className="jp-BottegaCard"
      aria-label={trans.__('Channel %1', channel.ChannelName)}
    >
      <h2>
        <button
          type="button"
          className="jp-BottegaDisclosure"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          <span aria-hidden="true">{open ? '▾' : '▸'}</span>{' '}
          {channel.ChannelName}
        </button>
      </h2>
      <Facts
        facts={[
          [trans.__('URI'), source?.S3Uri ?? '—'],
          [
            trans.__('Content type'),
            channel.ContentType ?? trans.__('not given')
          ]
        ]}
      />
      {open && source && <Preview {...props} uri={source.S3Uri} />}
    </section>
  );
}

/** Size and first rows of a channel, read when it is opened. */
function Preview(
  props: IJobViewProps & { channel: IChannel; uri: string }
): JSX.Element {
  const { channel, client, trans, uri } = props;
  const live = useLive<IPreviewDataResponse>(
    props,
    signal =>
      client.call(
        'bottega:PreviewData',
        {
          S3Uri: uri,
          MaxRows: ROWS,
          ...(channel.ContentType ? { ContentType: channel.ContentType } : {})
        },
        signal
      ),
    [uri, channel.ContentType]
  );
  return (
    <Loadable
      live={live}
      trans={trans}
      rows={4}
      what={trans.__('The data cannot be read.')}
    >
      {found => (
        <>
          <p className="jp-BottegaHeader-facts">
            {trans._n(
              '%2 object, %3, %4',
              '%2 objects, %3, %4',
              found.Objects,
              found.Objects.toLocaleString(),
              bytes(found.TotalBytes),
              found.Format
            )}
          </p>
          {found.Columns.length > 0 && (
            <FirstRows data={found} name={channel.ChannelName} trans={trans} />
          )}
        </>
      )}
    </Loadable>
  );
}

function FirstRows(props: {
  data: IPreviewDataResponse;
  name: string;
  trans: IJobViewProps['trans'];
}): JSX.Element {
  const { data, name, trans } = props;
  return (
    <div
      className="jp-BottegaSample"
      tabIndex={0}
      role="region"
      aria-label={trans.__('First rows of %1', name)}
    >
      <table className="jp-BottegaPlainTable">
        <thead>
          <tr>
            {data.Columns.map((column, index) => (
              <th key={index} scope="col">
                {column.Name}
                <small>{column.Type}</small>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.Rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, place) => (
                <td key={place}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {data.Truncated && (
        <p className="jp-BottegaHeader-facts">
          {trans.__('There are more rows.')}
        </p>
      )}
    </div>
  );
}
