//! Searches of vector indexes, beside a plain loop over a contiguous array.

use std::error::Error;
use std::hint::black_box;

use pretender::items::{BatchWriteItemInput, SearchVectorsInput, WriteRequest};
use pretender::model::{AttributeValue, IndexName, Item, ScalarType, TableName};
use pretender::tables::{
    AttributeDefinition, CreateTableInput, DistanceFunction, ProjectionInput, ProjectionType,
    SearchSchemaElement, VectorIndexInput,
};
use pretender::{Durability, Pretender};

use crate::cost::{Cost, measure};
use crate::report::{Pair, Report};
use crate::sizes::Sizes;

const VECTORS: usize = 100_000;
const FEW_VECTORS: usize = 10_000;
const TENANTS: usize = 100;
const RESULTS: u32 = 10;
const LANES: usize = 8;

/// Vectors of thousandths, the same in each run, and the same vectors in a table.
struct Filled {
    dimensions: usize,
    vectors: Vec<f32>,
    db: Pretender,
    table: TableName,
    _folder: tempfile::TempDir,
}

impl Filled {
    fn with(dimensions: usize, count: usize) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("vectors.db");
        let db = Pretender::builder().file(path).durability(Durability::Off).open()?;
        let table = create_table(&db, dimensions)?;
        let mut random = 1_u64;
        let mut next = || {
            // The generator of Knuth's MMIX.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % 2001
        };
        let mut vectors = Vec::with_capacity(dimensions * count);
        let mut batch = Vec::new();
        for n in 0..count {
            let mut elements = Vec::with_capacity(dimensions);
            for _ in 0..dimensions {
                let float = (next() as f32 - 1000.0) / 1000.0;
                vectors.push(float);
                elements.push(AttributeValue::N(float.try_into()?));
            }
            let item = Item::new()
                .with("pk", format!("{n:06}"))
                .with("tenant", format!("tenant {}", n % TENANTS))
                .with("embedding", AttributeValue::L(elements));
            batch.push(WriteRequest::Put(item));
            if batch.len() == 25 || n + 1 == count {
                let request_items = [(table.clone(), std::mem::take(&mut batch))].into();
                db.batch_write_item(BatchWriteItemInput { request_items, ..Default::default() })?;
            }
        }
        Ok(Self { dimensions, vectors, db, table, _folder: folder })
    }

    /// Returns the vector that the nth search is for.
    fn target(&self, n: usize) -> &[f32] {
        &self.vectors[n * self.dimensions..][..self.dimensions]
    }

    /// Searches, either the whole index or the part of a tenant.
    fn search(&self, count: usize, of_tenant: bool) -> Result<Cost, Box<dyn Error>> {
        measure(count as u64, || {
            for n in 0..count {
                let mut target = Vec::with_capacity(self.dimensions);
                for float in self.target(n) {
                    target.push(AttributeValue::N((*float).try_into()?));
                }
                let index: IndexName = if of_tenant { "by_tenant" } else { "all" }.parse()?;
                let mut input = SearchVectorsInput::new(self.table.clone(), index, target, RESULTS);
                if of_tenant {
                    input.search_condition_expression = Some("tenant = :t".to_owned());
                    input.expression_attribute_values =
                        [(":t".to_owned(), format!("tenant {}", n % TENANTS).into())].into();
                }
                let found = self.db.search_vectors(input)?;
                assert_eq!(found.search_results.len(), RESULTS as usize);
                assert_eq!(found.search_results[0].score, 0.0, "the vector itself is the nearest");
            }
            Ok(())
        })
    }

    /// Does the same with a plain loop.
    fn floor(&self, count: usize) -> Cost {
        let cost = measure(count as u64, || {
            for n in 0..count {
                black_box(self.nearest(self.target(n)));
            }
            Ok::<(), std::convert::Infallible>(())
        });
        match cost {
            Ok(cost) => cost,
        }
    }

    fn nearest(&self, target: &[f32]) -> Vec<(f64, usize)> {
        let mut nearest = vec![(f64::INFINITY, 0); RESULTS as usize];
        for (n, vector) in self.vectors.chunks_exact(self.dimensions).enumerate() {
            let mut sums = [0.0_f64; LANES];
            for (a, b) in target.as_chunks::<LANES>().0.iter().zip(vector.as_chunks::<LANES>().0) {
                for lane in 0..LANES {
                    let difference = f64::from(a[lane]) - f64::from(b[lane]);
                    sums[lane] += difference * difference;
                }
            }
            let distance = sums.iter().sum();
            if nearest.last().is_some_and(|last| distance < last.0) {
                nearest.pop();
                let at = nearest.partition_point(|other| other.0 <= distance);
                nearest.insert(at, (distance, n));
            }
        }
        nearest
    }
}

fn create_table(db: &Pretender, dimensions: usize) -> Result<TableName, Box<dyn Error>> {
    let table: TableName = "Articles".parse()?;
    let mut input = CreateTableInput::new(table.clone(), ("pk", ScalarType::S), None);
    let tenant = AttributeDefinition { name: "tenant".to_owned(), scalar_type: ScalarType::S };
    input.attribute_definitions.push(tenant);
    let index = |name: &str| {
        Ok::<_, Box<dyn Error>>(VectorIndexInput {
            projection: ProjectionInput::of(ProjectionType::KeysOnly),
            ..VectorIndexInput::new(
                name.parse()?,
                "embedding",
                dimensions as u64,
                DistanceFunction::Euclidean,
            )
        })
    };
    let by_tenant = VectorIndexInput {
        search_schema: Some(vec![SearchSchemaElement::hash("tenant")]),
        ..index("by_tenant")?
    };
    input.vector_indexes = Some(vec![index("all")?, by_tenant]);
    db.create_table(input)?;
    Ok(table)
}

/// Searches of 100,000 vectors of two lengths.
pub(crate) fn run(report: &mut Report, sizes: &Sizes) -> Result<(), Box<dyn Error>> {
    let count = if sizes.quick { FEW_VECTORS } else { VECTORS };
    println!(
        "Vectors: SearchVectors in process, the nearest {RESULTS} of {count} (EUCLIDEAN, a file), beside a plain loop"
    );
    for dimensions in [384, 1536] {
        let filled = Filled::with(dimensions, count)?;
        let (mut whole, mut parts) = (Vec::new(), Vec::new());
        for _ in 0..sizes.turns {
            let floor = filled.floor(5);
            whole.push(Pair::of(filled.search(5, false)?, floor));
            parts.push(Pair::of(filled.search(50, true)?, floor));
        }
        report.share(&format!("search of {count} vectors of {dimensions} dimensions"), &whole);
        report
            .share(&format!("search of the {} of a tenant among them; beside all", count / TENANTS), &parts);
    }
    Ok(())
}
