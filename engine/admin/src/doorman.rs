//! [`Doorman`]: lets nobody in who has not proved who they are.

use std::sync::Arc;

use sayso_types::{Clock, WallTime};
use sayso_wire::token::TokenVerifier;
use tonic::service::Interceptor;
use tonic::{Request, Status};

use crate::connections::Caller;
use crate::operator::{Operator, Unproved};
use crate::refusal::Refusal;

/// Goes before every service, also health and reflection, and puts the [`Operator`] into the request.
#[derive(Clone)]
pub(crate) struct Doorman {
    tokens: Option<Arc<TokenVerifier>>,
    clock: Arc<dyn Clock>,
}

impl Doorman {
    pub(crate) fn new(tokens: Option<TokenVerifier>, clock: Arc<dyn Clock>) -> Self {
        Self { tokens: tokens.map(Arc::new), clock }
    }

    /// Who makes `request`. A certificate, which TLS has verified, goes before a token.
    fn prove(&self, request: &Request<()>, now: WallTime) -> Result<Operator, Unproved> {
        let chain = request.extensions().get::<Caller>().and_then(|caller| caller.tls.peer_certs());
        if let Some(certificate) = chain.as_deref().and_then(|chain| chain.first()) {
            return Operator::by_certificate(certificate, now);
        }
        let header = request.metadata().get("authorization").ok_or(Unproved::Nothing)?;
        let token = bearer(header.to_str().unwrap_or_default()).ok_or(Unproved::NotBearer)?;
        Operator::by_token(token, self.tokens.as_deref().ok_or(Unproved::NoTokens)?, now)
    }
}

impl Interceptor for Doorman {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let operator = self.prove(&request, self.clock.wall()).map_err(Refusal::from)?;
        if let Some(caller) = request.extensions().get::<Caller>() {
            caller.proof.given();
        }
        request.extensions_mut().insert(operator);
        Ok(request)
    }
}

/// The token of an `authorization` header (RFC 6750); the scheme's case does not matter.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
}

#[cfg(test)]
mod tests {
    use sayso_types::ManualClock;

    use super::*;

    fn prove(doorman: &Doorman, header: Option<&str>) -> Unproved {
        let mut request = Request::new(());
        if let Some(header) = header {
            request.metadata_mut().insert("authorization", header.parse().unwrap());
        }
        doorman.prove(&request, WallTime(0)).unwrap_err()
    }

    #[test]
    fn says_what_is_missing() {
        let clock = Arc::new(ManualClock::new());
        let certificates_only = Doorman::new(None, clock.clone());
        assert_eq!(prove(&certificates_only, None), Unproved::Nothing);
        assert_eq!(prove(&certificates_only, Some("Basic YTpi")), Unproved::NotBearer);
        assert_eq!(prove(&certificates_only, Some("Bearer x")), Unproved::NoTokens);
        let tokens = Doorman::new(Some(TokenVerifier::default()), clock);
        assert!(matches!(prove(&tokens, Some("bearer  x")), Unproved::Token(_)));
    }
}
