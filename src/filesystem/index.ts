export { type EfsAccessPointOptions, Filesystem, type FilesystemConfig, type S3FilesAccessPointOptions } from './filesystem';
export { SessionStorage } from './session-storage';
