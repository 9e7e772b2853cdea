import type { IChannel, IPreviewDataResponse } from '../../api/types/training';
import type { IBottegaClient } from '../../tokens';
import type { IDraft, Source } from './draft';
import { channelTarget } from './draft';
import type { IPrepared } from './requests';
import { inputPrefix, keptCode, sourcePrefix } from './requests';

const PREVIEW_ROWS = 20;

/** The first rows of the data of a channel. */
export function readPreview(
  client: IBottegaClient,
  source: Source
): Promise<IPreviewDataResponse> {
  if (source.kind === 'file') {
    return client.previewFile(source.path, PREVIEW_ROWS);
  }
  const channel = source.kind === 'kept' ? source.channel : null;
  return client.call('bottega:PreviewData', {
    S3Uri:
      source.kind === 's3'
        ? source.uri
        : (source.channel.DataSource.S3DataSource?.S3Uri ?? ''),
    MaxRows: PREVIEW_ROWS,
    ...(channel?.ContentType && { ContentType: channel.ContentType })
  });
}

/** Bring the data and the code of a job into the store, the train channel first. */
export async function prepareInput(
  client: IBottegaClient,
  draft: IDraft
): Promise<IPrepared> {
  const { trainer } = draft;
  const channels: IChannel[] = [];
  let columns: string[] = [];
  let columnsUri: string | null = null;
  for (const name of ['train', 'validation'] as const) {
    const source = draft[name];
    if (source?.kind === 'kept') {
      channels.push(source.channel);
    } else if (source) {
      const answer = await client.prepareChannel({
        source:
          source.kind === 'file' ? { path: source.path } : { uri: source.uri },
        name,
        target: channelTarget(draft, source),
        prefix: inputPrefix(draft.name),
        ...(trainer.kind === 'script' && { for_script: true }),
        ...(columns.length > 0 && { columns })
      });
      channels.push(answer.channel as unknown as IChannel);
      if (name === 'train') {
        columns = answer.columns;
        columnsUri = answer.columns_uri;
      }
    }
  }
  let code = keptCode(draft);
  if (trainer.kind === 'script' && trainer.script.kind === 'file') {
    code = await client.uploadSource({
      path: trainer.script.path,
      source_dir: trainer.script.folder || null,
      prefix: sourcePrefix(draft.name)
    });
  }
  return { channels, columnsUri, code };
}
