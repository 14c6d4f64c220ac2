//! How a registry is reached: by HTTPS, or where that is allowed by plain HTTP.

use std::sync::PoisonError;

use ureq::http::Method;

use super::Host;
use crate::error::{Error, ErrorKind, Result};
use crate::registry::net::Ask;
use crate::registry::private::is_private;
use crate::registry::problem::{Cause, Problem};
use crate::registry::refusal::refused;
use crate::registry::{Notice, retry};

impl Host {
    /// `https` or `http`.
    pub(super) fn scheme(&self) -> Result<&'static str> {
        // Held while the door is tried, so that it is tried once.
        let mut scheme = self.0.scheme.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(scheme) = *scheme {
            return Ok(scheme);
        }
        let settled = self.settle()?;
        *scheme = Some(settled);
        Ok(settled)
    }

    fn settle(&self) -> Result<&'static str> {
        let net = self.net();
        let only = self.0.only.or(net.access.plain_http.then_some("http"));
        if let Some(only) = only {
            return self.settle_by(|| self.knock(only).map(|()| only));
        }
        let clear = net.access.insecure || is_private(self.name());
        let settled = self.settle_by(|| {
            let problem = match self.knock("https") {
                Ok(()) => return Ok("https"),
                Err(problem) => problem,
            };
            // Whoever answers by HTTPS speaks it, however unwell.
            let no_tls = matches!(problem.cause, Cause::Passing | Cause::NotTls)
                && problem.error.get_status().is_none();
            if clear && no_tls && self.knock("http").is_ok() {
                return Ok("http");
            }
            Err(problem)
        })?;
        if settled == "http" {
            net.notice(Notice {
                code: "plain-http",
                host: self.name().to_owned(),
                message: format!(
                    "`{}` does not speak HTTPS: everything, passwords included, goes there without \
                     encryption",
                    self.name()
                ),
            });
        }
        Ok(settled)
    }

    fn settle_by(
        &self,
        mut knock: impl FnMut() -> Result<&'static str, Problem>,
    ) -> Result<&'static str> {
        let mut failures = 0;
        loop {
            failures += 1;
            match knock() {
                Ok(scheme) => return Ok(scheme),
                Err(problem) if problem.cause == Cause::Passing => {
                    if !self.net().again(failures, None, self.name())? {
                        return Err(problem.error);
                    }
                }
                Err(problem) => return Err(problem.error),
            }
        }
    }

    /// Asks at the door (distribution specification, end-1), and learns what is wanted there.
    fn knock(&self, scheme: &str) -> Result<(), Problem> {
        let uri = self.address(scheme, "/v2/").map_err(Problem::lasting)?;
        let answer = self.net().once(Ask::new(Method::GET, uri), None)?;
        let doing = format!("`{}` is no registry, or not well", self.name());
        if scheme == "http" && answer.leads_to_https() {
            let message = format!("`{}` answers plain HTTP only to say: HTTPS", self.name());
            return Err(Problem::lasting(
                Error::new(ErrorKind::Registry, message)
                    .status(answer.status)
                    .hint("leave `--plain-http` out"),
            ));
        }
        match answer.status {
            200..=399 | 401 | 403 | 405 => {
                self.0
                    .auth
                    .learn(self.net(), &answer)
                    .map_err(Problem::lasting)?;
                answer.discard();
                Ok(())
            }
            status if retry::may_pass(status) => Err(Problem {
                cause: Cause::Passing,
                error: refused(answer, &doing),
            }),
            _ => Err(Problem::lasting(refused(answer, &doing))),
        }
    }
}
