//! One database of a server with all that answers requests for it: the wires of its regions, and its control API.

use std::sync::Arc;

use hyper::http::request::Parts;
use pdb_wire::Wire;
use pretender::Pretender;
use pretender::time::ManualClock;

use crate::control::{Control, RegionInQuery, SnapshotFolder};
use crate::regions::{RegionError, Regions};

/// A database that requests are answered from: one, or one for each region.
#[derive(Debug)]
pub(crate) struct Database {
    /// The name that requests use; the server's own database has none.
    name: Option<String>,
    /// The wire of the home region.
    wire: Arc<Wire>,
    regions: Regions,
    region: String,
    control: Option<Arc<Control>>,
    endpoint: String,
}

/// What all databases of a server share.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    /// The address at which clients reach this server.
    pub(crate) endpoint: String,
    /// The folder for snapshot files, if there is one.
    pub(crate) snapshots: Option<SnapshotFolder>,
}

impl Database {
    /// Creates what answers requests for `regions`. The control API exists if there is a clock that it can move.
    pub(crate) fn new(
        name: Option<String>,
        regions: Regions,
        clock: Option<Arc<ManualClock>>,
        shared: &Shared,
    ) -> Self {
        let Shared { endpoint, snapshots } = shared.clone();
        let control = clock.map(|clock| Control::new(regions.clone(), clock, snapshots, endpoint.clone()));
        Self {
            name,
            wire: Arc::new(regions.wire(regions.home().clone(), &endpoint)),
            region: regions.home_region().to_owned(),
            regions,
            control: control.map(Arc::new),
            endpoint,
        }
    }

    /// Returns the name, unless this is the server's own database.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns the wire of the home region.
    pub(crate) fn wire(&self) -> &Arc<Wire> {
        &self.wire
    }

    /// Returns the databases of all regions.
    pub(crate) fn regions(&self) -> &Regions {
        &self.regions
    }

    /// Returns the name of the home region.
    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// Returns the control API, if the server has it.
    pub(crate) fn control(&self) -> Option<&Arc<Control>> {
        self.control.as_ref()
    }

    /// Returns the wire of another region, whose database is opened if necessary. Without a region, or with the home
    /// region, there is no other wire, and none if regions are not separate.
    pub(crate) async fn wire_elsewhere(
        &self,
        region: Option<String>,
    ) -> Result<Option<Arc<Wire>>, RegionError> {
        let Some(region) = region.filter(|_| self.regions.are_separate()) else { return Ok(None) };
        let region = self.regions.name_of(&region);
        if region == self.region {
            return Ok(None);
        }
        if let Some(wire) = self.regions.find(&region) {
            return Ok(Some(wire));
        }
        // At most one thread waits for one region, because a database server that does not answer may block it for
        // long.
        let turn = self.regions.turn(&region)?;
        let held = turn.held().await;
        let endpoint = self.endpoint.clone();
        let opened = crate::blocking::blocking(move || {
            let opened = turn.open(&endpoint);
            drop(held);
            opened
        });
        opened.await.unwrap_or(Err(RegionError::Closed)).map(Some)
    }

    /// Returns the open database of the region that the query of a command names, and the names of the other regions
    /// that are open.
    ///
    /// # Errors
    ///
    /// A text for people.
    pub(crate) fn region_in_query(&self, parts: &Parts) -> Result<(Pretender, Vec<String>), String> {
        let query = RegionInQuery::of(parts.uri.query());
        let named = query.one(self.regions.are_separate()).unwrap_or(&self.region);
        let region = self.regions.name_of(named);
        if region != self.region && !self.regions.are_separate() {
            return Err(format!("this server has only one region, which is not `{named}`"));
        }
        let database = if region == self.region {
            self.regions.home().clone()
        } else {
            self.regions.check_name(&region).map_err(|error| error.to_string())?;
            let wire = self.regions.find(&region);
            let wire = wire
                .ok_or_else(|| format!("the region `{region}` was not used since the server was started"))?;
            wire.pretender().clone()
        };
        let open = self.regions.all().into_iter().map(|database| database.account().region.clone());
        let others = open.filter(|other| *other != region).collect();
        Ok((database, others))
    }
}
