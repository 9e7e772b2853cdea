import { lazy, Suspense } from 'react';

import type { IPanelProps } from './model/types';

const SourceDialog = lazy(() =>
  import('./panels/sourceDialog').then(module => ({
    default: module.SourceDialog
  }))
);
const JoinDialog = lazy(() =>
  import('./panels/joinDialog').then(module => ({
    default: module.JoinDialog
  }))
);
const ConcatenateDialog = lazy(() =>
  import('./panels/concatenateDialog').then(module => ({
    default: module.ConcatenateDialog
  }))
);

/** The dialog that a part of the screen has asked for. */
export function Dialogs(props: IPanelProps): JSX.Element {
  const { dialog } = props.model;
  if (!dialog) {
    return <></>;
  }
  return (
    <Suspense fallback={null}>
      {dialog.kind === 'source' && <SourceDialog {...props} request={dialog} />}
      {dialog.kind === 'join' && <JoinDialog {...props} request={dialog} />}
      {dialog.kind === 'concatenate' && (
        <ConcatenateDialog {...props} request={dialog} />
      )}
    </Suspense>
  );
}
