//! The `Statistics` service: what was anonymised, and leads to nobody any more.

use std::sync::Arc;

use sayso_consent::Register;
use sayso_consent::anonymised::Statistic;
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::statistics_server::Statistics;
use sayso_types::Name;
use tonic::{Request, Response, Status};

use crate::access::Access;
use crate::operator::Operator;
use crate::refusal::Refusal;

/// Serves what was released to the operator of the node.
pub(crate) struct StatisticsService {
    pub(crate) register: Arc<Register>,
    pub(crate) access: Access,
}

impl StatisticsService {
    async fn listed(&self, operator: &Operator) -> Result<Vec<proto::Statistic>, Refusal> {
        operator.must_see_all()?;
        let statistics = self.register.anonymised().await?;
        self.access.record(operator, Name::constant("statistics.list"), statistics.len()).await?;
        Ok(statistics.into_iter().map(shown).collect())
    }
}

#[tonic::async_trait]
impl Statistics for StatisticsService {
    async fn list(
        &self,
        request: Request<proto::ListStatisticsRequest>,
    ) -> Result<Response<proto::ListStatisticsResponse>, Status> {
        let statistics = self.listed(&Operator::of(&request)?).await?;
        Ok(Response::new(proto::ListStatisticsResponse { statistics }))
    }
}

fn shown(statistic: Statistic) -> proto::Statistic {
    let classes = statistic.classes().iter().map(|counted| proto::StatisticClass {
        entries: counted.class.entries.name().to_owned(),
        people: counted.people,
    });
    let report = statistic.data.as_ref().map(|data| {
        let report = data.report();
        proto::StatisticReport {
            people: report.people,
            classes: report.classes,
            smallest: report.smallest,
            unique: report.unique,
            linked_among: report.linked_among.get(),
        }
    });
    let classes = classes.collect();
    let Statistic { month, tenant, category, purpose, by, k, data: _ } = statistic;
    proto::Statistic { month, tenant_id: tenant, category, purpose, by, k, classes, report }
}
