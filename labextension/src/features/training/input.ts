import type {
  IAlgorithmDescription,
  IChannel,
  IPreviewDataResponse
} from '../../api/types/training';
import type { IBottegaClient } from '../../tokens';
import { channelTarget, chosenContentType, sentSources } from './channels';
import type { IDraft, Source } from './draft';
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
  const contentType =
    source.kind === 'kept' ? source.channel.ContentType : source.contentType;
  return client.call('bottega:PreviewData', {
    S3Uri:
      source.kind === 's3'
        ? source.uri
        : (source.channel.DataSource.S3DataSource?.S3Uri ?? ''),
    MaxRows: PREVIEW_ROWS,
    ...(contentType && { ContentType: contentType })
  });
}

/**
 * Bring the data and the code of a job into the store, the train channel first.
 *
 * @param algorithm the built-in algorithm that reads the data; null for a script.
 */
export async function prepareInput(
  client: IBottegaClient,
  draft: IDraft,
  algorithm: IAlgorithmDescription | null
): Promise<IPrepared> {
  const { trainer } = draft;
  const channels: IChannel[] = [];
  let columns: string[] = [];
  let columnsUri: string | null = null;
  for (const [name, source] of sentSources(draft, algorithm)) {
    if (source.kind === 'kept') {
      channels.push(source.channel);
      continue;
    }
    const contentType = chosenContentType(draft, algorithm, name);
    const answer = await client.prepareChannel({
      source:
        source.kind === 'file' ? { path: source.path } : { uri: source.uri },
      name,
      target: channelTarget(draft, algorithm, name),
      prefix: inputPrefix(draft.name),
      ...(algorithm && { algorithm: algorithm.Name }),
      ...(contentType !== null && { content_type: contentType }),
      ...(trainer.kind === 'script' && { for_script: true }),
      ...(columns.length > 0 && { columns })
    });
    channels.push({
      ...(answer.channel as unknown as IChannel),
      ...draft.modes[name],
      // What was chosen counts more than what the name's ending tells.
      ...(contentType !== null && { ContentType: contentType })
    });
    if (name === 'train') {
      columns = answer.columns;
      columnsUri = answer.columns_uri;
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
