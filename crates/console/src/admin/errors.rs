//! How errors of use cases are told at the edge.

use std::error::Error;

use actix_web::http::StatusCode;
use tenkoku_ca::apply::ApplyError;
use tenkoku_ca::bulk::BulkError;
use tenkoku_ca::closing::ClosingError;
use tenkoku_ca::incident::CloseError;
use tenkoku_ca::issue::IssueError;
use tenkoku_ca::life::LifeError;
use tenkoku_ca::policy::PolicyError;
use tenkoku_ca::prove::ProveError;
use tenkoku_ca::revoke::RevokeError;
use tenkoku_ca::suspend::SuspendError;
use tenkoku_publisher::draft::DraftError;
use tenkoku_publisher::publish::PublishError;
use tenkoku_responder::crl::CrlError;
use tenkoku_tsl::rules::{Broken, Finding};

use crate::problem::Problem;
use crate::session::enrol::{EnrolError, IssueLinkError};
use crate::session::passkey::PasskeyError;
use crate::session::sign_in::SignInError;
use crate::session::step_up::StepUpError;
use crate::session::throttle::Closed;

impl From<RevokeError> for Problem {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::Refused(refusal) => Self::from_refusal(&refusal),
            RevokeError::Store(error) => error.into(),
        }
    }
}

impl From<LifeError> for Problem {
    fn from(error: LifeError) -> Self {
        match error {
            LifeError::Refused(refusal) => Self::from_refusal(&refusal),
            LifeError::Store(error) => error.into(),
            error @ (LifeError::Keys(_) | LifeError::Canonical(_)) => Self::unsigned(&error),
        }
    }
}

impl From<SuspendError> for Problem {
    fn from(error: SuspendError) -> Self {
        match error {
            SuspendError::Refused(refusal) => Self::from_refusal(&refusal),
            SuspendError::Store(error) => error.into(),
        }
    }
}

impl From<ApplyError> for Problem {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Refused(refusal) => Self::from_refusal(&refusal),
            ApplyError::Store(error) => error.into(),
            ApplyError::Canonical(error) => error.into(),
        }
    }
}

impl From<CloseError> for Problem {
    fn from(error: CloseError) -> Self {
        match error {
            CloseError::Refused(refusal) => Self::from_refusal(&refusal),
            CloseError::Store(error) => error.into(),
        }
    }
}

impl From<ProveError> for Problem {
    fn from(error: ProveError) -> Self {
        match error {
            ProveError::Refused(refusal) => Self::from_refusal(&refusal),
            ProveError::Store(error) => error.into(),
            error @ (ProveError::Keys(_)
            | ProveError::Canonical(_)
            | ProveError::PublicKey(_)
            | ProveError::Signature(_)) => Self::unsigned(&error),
        }
    }
}

impl From<IssueError> for Problem {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Refused(refusal) => Self::from_refusal(&refusal),
            IssueError::Store(error) => error.into(),
            IssueError::Lint(failed) => Self::from_refusal(&failed.refusal()),
            error @ (IssueError::Keys(_)
            | IssueError::Assemble(_)
            | IssueError::StoredCertificate(_)
            | IssueError::StoredKey(_)
            | IssueError::Address(_)
            | IssueError::Canonical(_)) => Self::unsigned(&error),
        }
    }
}

impl From<PolicyError> for Problem {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::Refused(refusal) => Self::from_refusal(&refusal),
            PolicyError::Document(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "policy-malformed")
            }
            PolicyError::Canonical(error) => error.into(),
            PolicyError::Store(error) => error.into(),
        }
    }
}

impl From<PublishError> for Problem {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Refused(refusal) => Self::from_refusal(&refusal),
            PublishError::Store(error) => error.into(),
            PublishError::Keys(error) => Self::unsigned(&error),
            error @ (PublishError::NoSigner
            | PublishError::SignerKey
            | PublishError::Compose(_)
            | PublishError::Broken(_)
            | PublishError::Sign(_)
            | PublishError::Certificate(_)
            | PublishError::Live(_)) => Self::internal(&error),
        }
    }
}

impl From<DraftError> for Problem {
    fn from(error: DraftError) -> Self {
        match error {
            DraftError::Refused(refusal) => Self::from_refusal(&refusal),
            DraftError::Store(error) => error.into(),
            DraftError::Publish(error) => error.into(),
            DraftError::Mistakes(findings) | DraftError::Broken(Broken(findings)) => {
                let first = findings.first().map(Finding::sentence).unwrap_or_default();
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "list-broken").with("finding", first)
            }
            DraftError::Unreadable(why) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "list-refused").with("detail-text", why)
            }
            error @ (DraftError::Compose(_) | DraftError::Certificate(_)) => Self::internal(&error),
        }
    }
}

impl From<BulkError> for Problem {
    fn from(error: BulkError) -> Self {
        match error {
            BulkError::Refused(refusal) => Self::from_refusal(&refusal),
            BulkError::Canonical(error) => error.into(),
            BulkError::Store(error) => error.into(),
        }
    }
}

impl From<ClosingError> for Problem {
    fn from(error: ClosingError) -> Self {
        match error {
            ClosingError::Refused(refusal) => Self::from_refusal(&refusal),
            ClosingError::Store(error) => error.into(),
        }
    }
}

impl From<CrlError> for Problem {
    fn from(error: CrlError) -> Self {
        match error {
            CrlError::Refused(refusal) => Self::from_refusal(&refusal),
            CrlError::Store(error) => error.into(),
            error @ (CrlError::Lint(_)
            | CrlError::Keys(_)
            | CrlError::Assemble(_)
            | CrlError::StoredCertificate(_)
            | CrlError::Address(_)
            | CrlError::StoredKey(_)) => Self::unsigned(&error),
        }
    }
}

impl From<IssueLinkError> for Problem {
    fn from(error: IssueLinkError) -> Self {
        match error {
            IssueLinkError::Refused(refusal) => Self::from_refusal(&refusal),
            IssueLinkError::Store(error) => error.into(),
        }
    }
}

impl From<Closed> for Problem {
    fn from(closed: Closed) -> Self {
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-attempts");
        problem.retry_after(closed.wait_seconds)
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Wrong | SignInError::Certificate(_) => {
                Self::new(StatusCode::FORBIDDEN, "sign-in-refused")
            }
            SignInError::Closed(closed) => closed.into(),
            SignInError::Sealed(error) => Self::internal(&error),
            SignInError::Store(error) => error.into(),
        }
    }
}

impl From<StepUpError> for Problem {
    fn from(error: StepUpError) -> Self {
        match error {
            StepUpError::Code(_) | StepUpError::Certificate | StepUpError::Passkey => {
                Self::new(StatusCode::FORBIDDEN, "step-up-needed")
            }
            StepUpError::Closed(closed) => closed.into(),
            StepUpError::Sealed(error) => Self::internal(&error),
            StepUpError::Store(error) => error.into(),
        }
    }
}

impl From<EnrolError> for Problem {
    fn from(error: EnrolError) -> Self {
        match error {
            EnrolError::Void => Self::new(StatusCode::GONE, "code-void"),
            EnrolError::Password(_)
            | EnrolError::Code(_)
            | EnrolError::Certificate(_)
            | EnrolError::Passkey => Self::new(StatusCode::FORBIDDEN, "sign-in-refused"),
            EnrolError::CertificateKnown => Self::new(StatusCode::CONFLICT, "conflict"),
            EnrolError::Sealed(_) => Self::form_expired(),
            EnrolError::Closed(closed) => closed.into(),
            EnrolError::Hash(error) => Self::internal(&error),
            EnrolError::Store(error) => error.into(),
        }
    }
}

impl From<PasskeyError> for Problem {
    fn from(error: PasskeyError) -> Self {
        match error {
            PasskeyError::Over | PasskeyError::Wrong => {
                Self::new(StatusCode::FORBIDDEN, "sign-in-refused")
            }
            PasskeyError::Known => Self::new(StatusCode::CONFLICT, "conflict"),
            PasskeyError::Unavailable => Self::not_found(),
            PasskeyError::Closed(closed) => closed.into(),
            PasskeyError::Enrol(error) => error.into(),
            PasskeyError::Begin(error) => Self::internal(&error),
            PasskeyError::Record(error) => Self::internal(&error),
            PasskeyError::Store(error) => error.into(),
        }
    }
}

impl Problem {
    /// Nothing was signed; what needs no new signature goes on.
    fn unsigned(cause: &dyn Error) -> Self {
        tracing::error!(cause = %cause, "a signature was not made");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "key-store-unavailable")
    }
}
