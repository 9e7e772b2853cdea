import { PageConfig, PathExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { Contents } from '@jupyterlab/services';

import type { IFlowSource } from '../../../api/types/wrangler';
import type { IBottegaClient } from '../../../tokens';
import { flowBeside, folderOf } from './paths';

/** What is needed to make a flow. */
export interface INewFlowContext {
  client: Pick<IBottegaClient, 'call'>;
  contents: Pick<Contents.IManager, 'get' | 'save' | 'newUntitled'>;
}

/**
 * The flow that prepares a file: the one beside it that reads it already, or a new one.
 *
 * @param file a path of the file browser.
 * @returns the flow's path.
 */
export async function flowOfFile(
  context: INewFlowContext,
  file: string
): Promise<string> {
  const name = PathExt.basename(file);
  for (let number = 0; ; number += 1) {
    const path = flowBeside(file, number);
    const present = await textOf(context.contents, path);
    if (present === null) {
      await writeFlow(context, path, { Kind: 'file', Uri: name });
      return path;
    }
    if (present.includes(JSON.stringify(name))) {
      return path;
    }
  }
}

/** A new flow that reads an object, or the objects of a prefix, of the store. */
export async function flowOfUri(
  context: INewFlowContext,
  uri: string,
  folder: string
): Promise<string> {
  const path = await emptyFlow(context, folder);
  await writeFlow(context, path, { Kind: 's3', Uri: uri });
  return path;
}

/** A new flow without data. */
export async function emptyFlow(
  context: INewFlowContext,
  folder: string
): Promise<string> {
  const made = await context.contents.newUntitled({
    path: folder,
    type: 'file',
    ext: '.flow'
  });
  return made.path;
}

async function writeFlow(
  context: INewFlowContext,
  path: string,
  source: IFlowSource
): Promise<void> {
  const answer = await context.client.call('bottega:EditFlow', {
    Flow: '',
    Folder: folderOf(PageConfig.getOption('serverRoot'), PathExt.dirname(path)),
    Edit: { Kind: 'add_source', Source: source }
  });
  await context.contents.save(path, {
    type: 'file',
    format: 'text',
    content: answer.Flow
  });
}

/** The text of a file; null where there is none. */
async function textOf(
  contents: Pick<Contents.IManager, 'get'>,
  path: string
): Promise<string | null> {
  try {
    const found = await contents.get(path, {
      type: 'file',
      format: 'text',
      content: true
    });
    return String(found.content);
  } catch (error) {
    if (
      error instanceof ServerConnection.ResponseError &&
      error.response.status === 404
    ) {
      return null;
    }
    throw error;
  }
}
