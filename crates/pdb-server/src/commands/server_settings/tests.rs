//! Which databases have the store of `--objects`.

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    /// An option of the command, which settings name.
    #[arg(long)]
    db: Option<String>,

    #[command(flatten)]
    settings: ServerSettings,
}

#[test]
fn every_database_of_a_server_has_its_buckets() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("exports")).unwrap();
    let line = ["serve", "--separate-regions", "--objects", folder.path().to_str().unwrap()];
    let settings = Line::try_parse_from(line).unwrap().settings;
    let objects = settings.objects.open(settings.region()).unwrap();
    // The regions and the named databases are opened by this builder, too.
    let builder = settings.builder(MEMORY, &objects).unwrap();
    let (regions, _) = settings.open(builder.clone()).unwrap();
    regions.home().objects().put("exports", "k", b"v").unwrap();
    let other = builder.in_region("eu-west-1").open().unwrap();
    assert_eq!(other.objects().get("exports", "k", 9).unwrap().unwrap(), b"v");
    assert_eq!(std::fs::read(folder.path().join("exports/k")).unwrap(), b"v");
    regions.close();
}

#[test]
fn without_the_option_no_bucket_exists() {
    let settings = Line::try_parse_from(["serve"]).unwrap().settings;
    let objects = settings.objects.open(settings.region()).unwrap();
    let database = settings.builder(MEMORY, &objects).unwrap().open().unwrap();
    let error = database.objects().put("exports", "k", b"v").unwrap_err();
    assert!(matches!(error, pretender::objects::ObjectError::NoSuchBucket { .. }), "{error:?}");
}
