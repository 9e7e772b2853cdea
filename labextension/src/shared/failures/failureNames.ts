import type { TranslationBundle } from '@jupyterlab/translation';

/** What a cause is called on a screen; a code that is not known here stays as it is. */
export function causeName(code: string, trans: TranslationBundle): string {
  const names: Record<string, string> = {
    BadHyperparameter: trans.__('Bad hyperparameter'),
    ChannelMissing: trans.__('No such channel'),
    CodeSyntax: trans.__('Syntax error'),
    ColumnMissing: trans.__('Missing column'),
    DatasetNotFound: trans.__('Data not found'),
    DiskFull: trans.__('Disk full'),
    EmptyChannel: trans.__('No data'),
    GpuNotAvailable: trans.__('No GPU'),
    GpuOutOfMemory: trans.__('GPU out of memory'),
    HeaderInData: trans.__('Header in the data'),
    ImportOfOwnModule: trans.__('Own module not found'),
    IsolationUnavailable: trans.__('No isolation'),
    KilledBySignal: trans.__('Ended by a signal'),
    LabelColumnMissing: trans.__('Missing label column'),
    LabelNotNumeric: trans.__('Label is no number'),
    LabelOutOfRange: trans.__('Label out of range'),
    MachineWentDown: trans.__('Machine went down'),
    MissingValues: trans.__('Missing values'),
    ModelNotSaved: trans.__('Model not saved'),
    NaNLoss: trans.__('Training diverged'),
    NetworkIsolated: trans.__('No network'),
    NetworkUnreachable: trans.__('Network unreachable'),
    NoSuchBucket: trans.__('No such bucket'),
    NoSuchFile: trans.__('No such file'),
    OneClassOnly: trans.__('One class only'),
    OutOfMemory: trans.__('Out of memory'),
    PackageMissing: trans.__('Missing package'),
    PermissionDenied: trans.__('Permission denied'),
    RequirementsFailed: trans.__('Packages not installed'),
    ScriptNotFound: trans.__('Script not found'),
    ShapeMismatch: trans.__('Shapes do not match'),
    Timeout: trans.__('Time ran out'),
    UndefinedName: trans.__('Undefined name'),
    Unknown: trans.__('Unknown cause'),
    ValueNotNumeric: trans.__('Value is no number'),
    VersionConflict: trans.__('Version conflict'),
    WrongContentType: trans.__('Wrong content type')
  };
  return names[code] ?? code;
}
