import type { ISettingRegistry } from '@jupyterlab/settingregistry';

import type { IStudioSettings } from '../../tokens';
import type { Studio } from './studio';

/** Have the shell follow the settings editor; what is missing there keeps its default. */
export async function followSettings(
  registry: ISettingRegistry,
  id: string,
  studio: Studio
): Promise<void> {
  const settings = await registry.load(id);
  const read = (): void => {
    // The schema has a default for each, so that the composite has them all.
    studio.settings = {
      ...studio.settings,
      ...(settings.composite as Partial<IStudioSettings>)
    };
  };
  read();
  settings.changed.connect(read);
}
