/** Actions that the execution role needs to mount a filesystem, and those that it is denied where it may only read; sorted. */

export const EFS_READ_ACTIONS = ['elasticfilesystem:ClientMount'];
export const EFS_READ_WRITE_ACTIONS = ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite'];
// Not `ClientRootAccess`, which lets root be root and writes nothing: a container that runs as root could not read what is root's alone.
export const EFS_WRITE_ACTIONS = ['elasticfilesystem:ClientWrite'];

// The service reads the access point when a runtime is created with it.
export const S3_FILES_READ_ACTIONS = ['s3files:ClientMount', 's3files:GetAccessPoint'];
export const S3_FILES_READ_WRITE_ACTIONS = ['s3files:ClientMount', 's3files:ClientWrite', 's3files:GetAccessPoint'];
export const S3_FILES_WRITE_ACTIONS = ['s3files:ClientWrite'];
