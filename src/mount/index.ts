export { type EfsAccessPointOptions, Mount, type MountConfig, type S3FilesAccessPointOptions } from './mount';
export { SessionStorage } from './session-storage';
