/** Actions that the execution role needs to mount a filesystem, sorted. */

export const EFS_READ_ACTIONS = ['elasticfilesystem:ClientMount'];
export const EFS_READ_WRITE_ACTIONS = ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite'];

// The service reads the access point when a runtime is created with it.
export const S3_FILES_READ_ACTIONS = ['s3files:ClientMount', 's3files:GetAccessPoint'];
export const S3_FILES_READ_WRITE_ACTIONS = ['s3files:ClientMount', 's3files:ClientWrite', 's3files:GetAccessPoint'];
