//! The `Keys` service: what wraps people's keys, and its rotation.

use std::sync::Arc;

use sayso_audit::{AuditKey, Hash};
use sayso_consent::Register;
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::keys_server::Keys;
use tonic::{Request, Response, Status};

use crate::operator::Operator;
use crate::refusal::Refusal;

/// Serves the keys of the node to its operator. None of them leaves the node.
pub(crate) struct KeysService {
    pub(crate) register: Arc<Register>,
    pub(crate) key: AuditKey,
}

impl KeysService {
    async fn wrapping(&self, operator: &Operator) -> Result<proto::KeyWrapping, Refusal> {
        operator.must_see_all()?;
        let wrapping = self.register.wrapping().await?;
        Ok(proto::KeyWrapping {
            shard_key: wrapping.shard_key,
            kek_sha256: Hash::of(&wrapping.kek).0.to_vec(),
            rotating: wrapping.is_rotating,
            purge_due: wrapping.is_purge_due,
        })
    }

    async fn rotated(&self, operator: &Operator) -> Result<u64, Refusal> {
        operator.must_see_all()?;
        Ok(self.register.rotate_keys(operator.actor(&self.key)).await?)
    }
}

#[tonic::async_trait]
impl Keys for KeysService {
    async fn get(&self, request: Request<proto::GetKeysRequest>) -> Result<Response<proto::GetKeysResponse>, Status> {
        let wrapping = Some(self.wrapping(&Operator::of(&request)?).await?);
        Ok(Response::new(proto::GetKeysResponse { wrapping }))
    }

    async fn rotate(
        &self,
        request: Request<proto::RotateKeysRequest>,
    ) -> Result<Response<proto::RotateKeysResponse>, Status> {
        let operator = Operator::of(&request)?;
        let people = self.rotated(&operator).await?;
        let wrapping = Some(self.wrapping(&operator).await?);
        Ok(Response::new(proto::RotateKeysResponse { wrapping, people }))
    }
}
